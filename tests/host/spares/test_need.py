"""Which programs are given spares, and what of a script in lab time is served by them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ml_api_lab.host.spares.need import for_server, for_training
from tests.support.toy import Scenes

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has what spares need")


@pytest.mark.parametrize(
    "source",
    [
        "import subprocess",
        "os.execv(sys.executable, words)",
        "os.execlp('uvicorn', 'uvicorn', 'main:app')",
        "uvicorn.run('main:app', reload=True)",
        "uvicorn.run('main:app', workers=2)",
        "from multiprocessing import Process",
        "from concurrent.futures import ProcessPoolExecutor",
    ],
)
def test_who_speaks_of_other_processes_gets_spares(source: str, tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("import os\n")
    assert for_server(str(tmp_path)) is None
    (tmp_path / "server.py").write_text(source)
    need = for_server(str(tmp_path))
    assert need is not None
    assert need.spares == 2


@pytest.mark.parametrize(
    "source", ["os.wait()", "from os import getpid, wait", "signal.signal(signal.SIGCHLD, reap)"]
)
def test_who_would_notice_them_gets_none(source: str, tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(f"import subprocess\n{source}\n")
    assert for_server(str(tmp_path)) is None


def test_a_script_that_is_gone_or_unreadable_needs_none(tmp_path: Path) -> None:
    (tmp_path / "main.py").mkdir()
    assert for_server(str(tmp_path)) is None
    assert for_server(str(tmp_path / "nowhere")) is None


@pytest.mark.parametrize(
    ("source", "is_needed"),
    [
        ("GridSearchCV(model, grid, n_jobs=2)", True),
        ("GridSearchCV(model, grid)", False),
        ("RandomForestClassifier(n_jobs=-1)", False),
        ("import time; GridSearchCV(model, grid, n_jobs=2)", False),
        ("GridSearchCV(model, grid, n_jobs=2); os.wait()", False),
    ],
)
def test_a_script_that_searches_in_processes_needs_some(
    source: str, is_needed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "joblib", sys)
    (tmp_path / "train.py").write_text(source)
    assert (for_training(str(tmp_path)) is not None) is is_needed
    monkeypatch.delitem(sys.modules, "joblib")
    assert for_training(str(tmp_path)) is None


SEARCH = """
import subprocess, sys
import joblib

def is_warm(number):
    return "sklearn.ensemble" in sys.modules

print(joblib.Parallel(n_jobs=2)(joblib.delayed(is_warm)(n) for n in range(2)))
print(subprocess.run([sys.executable, "-c", "print(__import__('time').time() > 1.7e9)"]).returncode)
"""


def test_workers_of_joblib_are_forks_and_nothing_else_is(tmp_path: Path) -> None:
    scenes = Scenes(tmp_path, "sklearn.ensemble")
    try:
        run = scenes.script(SEARCH)
    finally:
        scenes.close()
    assert run.output.splitlines()[0] == "[True, True]"
    # What the script starts itself is in real time.
    assert run.output.splitlines()[1:] == ["True", "0"]


BUSY = """
import time, joblib

def busy(number):
    end = time.time() + 0.01
    while time.time() < end:
        pass
    return number

print(joblib.Parallel(n_jobs=2)(joblib.delayed(busy)(n) for n in range(2)))
"""


def test_a_worker_may_wait_for_a_moment(tmp_path: Path) -> None:
    scenes = Scenes(tmp_path, "sklearn.ensemble")
    try:
        assert scenes.script(BUSY).output == "[0, 1]"
    finally:
        scenes.close()
