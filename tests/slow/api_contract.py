"""The last applications of the lab keep what their /openapi.json promises, to a stranger's tool.

    pytest tests/slow/api_contract.py

Schemathesis reads the schema and sends what it makes of it, right and wrong, to a real uvicorn. It
must find nothing. In an environment of its own: ``tox -e contract``.

Left out, since what answers is not the application:

- A literal ``NaN`` in a body. It is no JSON, but Python reads it, and the framework then fails with
  a 500 while it writes its 422, which quotes the body. Schemathesis sends none by itself.
- With the names of real models, what pydantic turns into a number by itself, such as ``true`` and
  ``"5.1"``. The schema says "number", and a submission may refuse them or take them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from ml_api_lab.sandbox.real_process import free_port
from tests.proofs.prover import COURSE, LEFT_OUT

TASKS = ["task_4_5", "task_5_1", "task_5_2"]
MODELS = ["logistic_regression", "random_forest"]
KEY = "the-key-of-this-test"
START_SECONDS, RUN_SECONDS = 60.0, 600.0
# The predictions' wait of 2 and 3 seconds stands for work and is no part of the schema.
SERVE = """
import main, uvicorn
main.SECONDS = dict.fromkeys(main.SECONDS, 0)
uvicorn.run(main.app, host=main.HOST, port=main.PORT, log_level="warning")
"""


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the models, trained by the solution of task 2.1."""
    folder = tmp_path_factory.mktemp("models")
    subprocess.run([sys.executable, COURSE / "solutions/task_2_1/train.py"], cwd=folder, check=True)
    return folder


@pytest.fixture(scope="module", params=TASKS)
def address(
    request: pytest.FixtureRequest, trained: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The address at which a copy of the solution is served."""
    folder = tmp_path_factory.mktemp("served") / request.param
    shutil.copytree(COURSE / "solutions" / request.param, folder, ignore=LEFT_OUT)
    with served(folder, trained) as address:
        yield address


@contextmanager
def served(folder: Path, models: Path) -> Iterator[str]:
    port = free_port()
    env = {
        **os.environ,
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "API_KEY": KEY,
        "LOGISTIC_MODEL": str(models / "logistic_regression.pkl"),
        "RF_MODEL": str(models / "random_forest.pkl"),
    }
    with (folder / "server.log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-c", SERVE], cwd=folder, env=env, stdout=log, stderr=log
        )
    address = f"http://127.0.0.1:{port}"
    try:
        last = time.monotonic() + START_SECONDS
        while not answers(address):
            told = (folder / "server.log").read_text()
            assert server.poll() is None and time.monotonic() < last, f"It does not start: {told}"
            time.sleep(0.1)
        yield address
    finally:
        server.terminate()
        server.wait()


def answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/health").status_code == 200
    except httpx.TransportError:
        return False


def schemathesis(folder: Path, address: str, *options: str, config: str = "") -> None:
    """Let Schemathesis test the application; assert that it finds nothing."""
    (folder / "schemathesis.toml").write_text(config, encoding="utf-8")
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{address}/openapi.json"]
    fixed = ["--checks=all", "--seed=1", "--max-examples=100", "--no-color"]
    run = subprocess.run(
        [*command, *fixed, *options],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=RUN_SECONDS,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_with_the_key(address: str, tmp_path: Path) -> None:
    schemathesis(tmp_path, address, "--header", f"X-API-Key: {KEY}")


def test_without_the_key(address: str, tmp_path: Path) -> None:
    # It can tell by itself that each answer is the 401 which the schema has; but a request in
    # which nothing is wrong save the key counts as one that should have been served.
    schemathesis(tmp_path, address, "--exclude-checks=positive_data_acceptance")


@pytest.mark.parametrize("model", MODELS)
def test_predictions_of_a_model_that_there_is(address: str, tmp_path: Path, model: str) -> None:
    schemathesis(
        tmp_path,
        address,
        "--include-path=/predict/{model_name}",
        "--exclude-checks=negative_data_rejection",
        f"--header=X-API-Key: {KEY}",
        config=f'[parameters]\n"path.model_name" = "{model}"\n',
    )
