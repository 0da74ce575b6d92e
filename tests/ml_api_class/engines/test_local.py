"""The engine of one machine: real worker processes, limits, kills, and nothing left behind."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest

from ml_api_class.engines import process_tree
from ml_api_class.engines.local import Limits, LocalEngine
from ml_api_class.errors import WorkerEnded
from ml_api_class.grading.unit import Answer, Settings, Unit
from ml_api_lab.errors import HarnessError
from tests.ml_api_class.toy_class import TASKS, task_files
from tests.support.toy import LIMIT, Course
from tests.support.toy_tasks import RIGHT, WRONG

pytestmark = pytest.mark.skipif(os.name == "nt", reason="sends the signals of POSIX")

LOOPS = "while True:\n    pass\n"
EATS = "kept = [bytearray(2**20) for _ in range(600)]\nprint('hello')\n"

Start = Callable[..., LocalEngine]


@pytest.fixture
def start(course: Course) -> Iterator[Start]:
    """Starts engines of one worker; in the end nothing of them may be left."""
    before = set(process_tree.children(os.getpid(), recursive=True))
    engines: list[LocalEngine] = []

    def start(limits: Limits | None = None, memory: int = 0, tier: str = "none") -> LocalEngine:
        settings = Settings(course.root, TASKS, tier, 1, memory)  # type: ignore[arg-type]
        engines.append(LocalEngine(settings, 1, limits))
        return engines[-1]

    yield start
    for engine in engines:
        engine.close()
        assert not engine.scratch.exists()
    left = set(process_tree.children(os.getpid(), recursive=True)) - before
    assert left == set()


def unit(text: str, submission: str = "ada") -> Unit:
    return Unit(submission, (("task_0_1", task_files(text).pack()),))


def score(future: Future[Answer]) -> int:
    return sum(each.score for each in future.result(LIMIT).verdicts)


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_units_are_graded_by_one_worker_until_it_is_recycled(start: Start) -> None:
    engine = start(Limits(units=2))
    pids = []
    for text, points in ((RIGHT, 10), (WRONG, 0), (RIGHT, 10)):
        future = engine.submit(unit(text))
        until(lambda: bool(engine.pids()))
        pids += engine.pids()
        assert score(future) == points
    assert pids[0] == pids[1] != pids[2]


def test_a_killed_worker_is_told_and_the_next_unit_has_another(start: Start) -> None:
    engine = start()
    future = engine.submit(unit(LOOPS))
    until(lambda: bool(engine.progress()))
    os.kill(engine.pids()[0], signal.SIGKILL)
    with pytest.raises(WorkerEnded, match="ended by signal 9"):
        future.result(LIMIT)
    assert score(engine.submit(unit(RIGHT))) == 10


def test_a_submission_that_takes_too_long_is_ended(start: Start) -> None:
    engine = start(Limits(seconds=1))
    with pytest.raises(WorkerEnded, match="it took more than 1 s") as raised:
        engine.submit(unit(LOOPS)).result(LIMIT)
    assert raised.value.is_limit


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is Linux's")
def test_memory_that_a_submission_takes_costs_it_its_check(start: Start) -> None:
    engine = start(memory=400)
    (verdict,) = engine.submit(unit(EATS)).result(LIMIT).verdicts
    assert verdict.score == 0
    assert "MemoryError" in verdict.checks[0].message
    assert score(engine.submit(unit(RIGHT))) == 10


def test_a_worker_that_cannot_grade_says_why(start: Start, course: Course, tmp_path: Path) -> None:
    settings = Settings(tmp_path, TASKS, "none", 1, 0)
    engine = LocalEngine(settings, 1)
    with pytest.raises(HarnessError, match="is not in a course"):
        engine.submit(unit(RIGHT)).result(LIMIT)
    engine.close()


@pytest.mark.skipif(sys.platform != "linux", reason="names of folders as on Linux")
def test_what_a_killed_run_left_is_removed_by_the_next(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    own = os.getpid()
    dead = tmp_path / "lab-class-999999999-1-x"
    alive = tmp_path / f"lab-class-{own}-{process_tree.began(own)}-x"
    other = tmp_path / f"lab-class-{own}-1-x"
    for folder in (dead, alive, other):
        (folder / "inside").mkdir(parents=True)
    engine = start()
    assert sorted(tmp_path.iterdir()) == sorted([alive, engine.scratch])
