"""`lab serve`: a real server of a task, and what keeps it from one."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from ml_api_lab.sandbox.real_process import free_port
from tests.support.graded import ON_WINDOWS
from tests.support.lab import COMMAND, Lab, keep_stubs
from tests.support.toy import LIMIT, Course, own_environment
from tests.support.toy_tasks import ONE_CHECK

APP = """
from fastapi import FastAPI

app = FastAPI()


@app.get("/health")
def health():
    return {"status": "healthy"}
"""


def answer_of(url: str) -> bytes:
    """Return what a server answers; with a reloader it says it is up before it listens."""
    give_up = time.monotonic() + LIMIT
    while True:
        try:
            content: bytes = urllib.request.urlopen(url, timeout=LIMIT).read()
        except urllib.error.URLError:
            if time.monotonic() > give_up:
                raise
            time.sleep(0.05)
        else:
            return content


@pytest.fixture
def served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Lab:
    course = Course(tmp_path / "course")
    course.preload("fastapi")
    course.task("task_0_1", ONE_CHECK, APP)
    course.task("task_0_2", ONE_CHECK, {"train.py": ""})
    return Lab(keep_stubs(course).root, monkeypatch, capsys)


def models_are_below(course: Path, folder: str) -> None:
    """Have the course's tasks load models from there."""
    file = course / "checks" / "syllabus.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("preload", f'models = "{folder}"\npreload'), encoding="utf-8")


@pytest.mark.skipif(ON_WINDOWS, reason="Windows sends no such signal to one process")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_the_task_with_models_until_it_is_ended(
    number: signal.Signals, served: Lab
) -> None:
    models_are_below(served.course, "../models")
    models = served.course / "exercises" / "models"
    models.mkdir()
    (models / "random_forest.pkl").write_bytes(b"my own")
    port = free_port()
    process = subprocess.Popen(
        [*COMMAND, "serve", "0.1", f"--port={port}"],
        cwd=served.course,
        env=own_environment(PYTHONUNBUFFERED="1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if "startup complete" in line:
            break
    answer = answer_of(f"http://127.0.0.1:{port}/health")
    assert answer == b'{"status":"healthy"}'
    process.send_signal(number)
    rest, _ = process.communicate(timeout=LIMIT)
    assert process.returncode == 0, rest
    text = "".join(said)
    assert "0.1 is not started yet: read checks/task_0_1/README.md.\n" in text
    assert f"Serving 0.1 at http://127.0.0.1:{port}, its docs: http://127.0.0.1:{port}/docs" in text
    assert "Training logistic_regression.pkl in models, which are missing" in text
    assert (models / "random_forest.pkl").read_bytes() == b"my own"
    assert (models / "logistic_regression.pkl").stat().st_size > 100
    assert wait_until_free(port)


def wait_until_free(port: int) -> bool:
    """Return whether nobody listens there any more, or soon."""
    give_up = time.monotonic() + LIMIT
    while time.monotonic() < give_up:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return True
        time.sleep(0.05)
    return False


def test_a_task_without_an_application_is_not_served(served: Lab) -> None:
    said = served("serve", "0.2")
    assert (said.status, said.out) == (4, "")
    assert "Task 0.2 has no application to serve; read checks/task_0_2/README.md" in said.err


def test_a_busy_port_is_told(served: Lab) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        said = served("serve", "0.1", "--port", str(port))
    assert said.status == 4
    assert f"Port {port} cannot be used" in said.err


def test_models_that_cannot_be_trained_are_told(
    served: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    models_are_below(served.course, "../models")
    monkeypatch.setattr("ml_api_lab.cli.commands.serve._TRAIN", "raise SystemExit(1)  # {names}")
    said = served("serve", "0.1", "--port", str(free_port()))
    assert said.status == 4
    assert "The models could not be trained in " in said.err
