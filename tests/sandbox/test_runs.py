"""What scripts have done in a grading: who runs one again is told that, if it would do the same."""

from __future__ import annotations

import asyncio
import os
import random
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from ml_api_lab.course.syllabus import Entry
from ml_api_lab.course.tree import Tree
from ml_api_lab.errors import NotThere
from ml_api_lab.lab_time import Span, seconds
from ml_api_lab.sandbox import runs
from ml_api_lab.sandbox.clock import Clock
from ml_api_lab.sandbox.files.state import State
from ml_api_lab.sandbox.runs import KnownRuns, Run, Script
from ml_api_lab.task import Task
from ml_api_lab.trials.task_runner import TaskRunner
from tests.support.toy import LIMIT

# Each process says who it is, so that a second one is noticed.
SCRIPT = """
import os, time
print("begins", os.getpid())
time.sleep(3)
print("ends")
"""

Scene = Callable[[Task, Clock], Awaitable[Run]]


class Grading:
    """Plays scenes with one task, as the checks of a grading do."""

    def __init__(self, root: Path) -> None:
        self.folder = root / "task_9_9"
        self.folder.mkdir()
        self.known = KnownRuns()
        self.runner = TaskRunner()
        self._tree = Tree("scene", root)

    def play(self, scene: Scene, *, models: str | None = None, known: bool = True) -> Run:
        return self.runner.play(
            scene,
            Entry("task_9_9", "Scene", "Scenes", (), models),
            self._tree,
            random.Random(1),
            budget=LIMIT,
            known_runs=self.known if known else None,
        )

    def is_recalled(self, one: Scene, other: Scene, **options: str | bool) -> bool:
        """Whether the other scene has what the first one's process has done."""
        return process(self.play(one)) == process(self.play(other, **options))  # type: ignore[arg-type]


@pytest.fixture
def grading(tmp_path: Path) -> Iterator[Grading]:
    grading = Grading(tmp_path)
    yield grading
    grading.runner.close()


def process(run: Run) -> str:
    """Return the number of the process that has run."""
    return run.lines[0].text


async def runs_it(task: Task, clock: Clock) -> Run:
    return await task.run()


def test_who_runs_a_script_again_is_told_what_it_did(grading: Grading) -> None:
    (grading.folder / "main.py").write_text(SCRIPT)
    seen: list[tuple[Span, list[tuple[Span, str]], bool]] = []

    async def scene(task: Task, clock: Clock) -> Run:
        run = await task.run(beat=seconds(1))
        assert run.lines == task.transcript.lines
        seen.append((clock.now, [(each.at, each.text) for each in run.lines], task.has_run))
        return run

    first, second = grading.play(scene), grading.play(scene)
    assert first == second
    assert seen[0] == seen[1]
    assert seen[0][0] == first.elapsed == seconds(3)
    assert [at for at, _ in seen[0][1]] == [0, seconds(3)]


def test_an_import_is_known_as_well(grading: Grading) -> None:
    (grading.folder / "main.py").write_text(SCRIPT)

    async def loads_it(task: Task, clock: Clock) -> Run:
        return await task.load()

    assert grading.is_recalled(loads_it, loads_it)
    assert not grading.is_recalled(loads_it, runs_it)


def test_what_a_check_does_with_its_answer_is_its_own(grading: Grading) -> None:
    (grading.folder / "main.py").write_text(SCRIPT)

    async def clears(task: Task, clock: Clock) -> Run:
        run = await task.run()
        task.transcript.lines.clear()
        run.lines.append(run.lines.pop(0))
        return run

    grading.play(clears)
    assert [line.at for line in grading.play(clears).lines] == [seconds(3), 0]


def test_a_check_that_runs_it_twice_sees_it_run_twice(grading: Grading) -> None:
    (grading.folder / "main.py").write_text("import os; print(os.getpid())")

    async def twice(task: Task, clock: Clock) -> Run:
        first, second = await task.run(), await task.run()
        assert process(first) != process(second)
        return first

    assert grading.is_recalled(twice, twice)


async def with_another_file(task: Task, clock: Clock) -> Run:
    task.files.write("notes.txt", "another")
    return await task.run()


async def with_a_variable(task: Task, clock: Clock) -> Run:
    return await task.run(env={"NAME": "value"})


async def later(task: Task, clock: Clock) -> Run:
    await asyncio.sleep(2)
    return await task.run()


async def with_a_folder(task: Task, clock: Clock) -> Run:
    task.files.path("empty").mkdir()
    return await task.run()


async def with_a_file_beside(task: Task, clock: Clock) -> Run:
    task.files.write("../beside.txt", "another")
    return await task.run()


async def with_other_rights(task: Task, clock: Clock) -> Run:
    task.files.path("main.py").chmod(0o400)
    return await task.run()


async def with_beats(task: Task, clock: Clock) -> Run:
    return await task.run(beat=seconds(1))


@pytest.mark.parametrize(
    "other",
    [
        with_another_file,
        with_a_folder,
        with_a_file_beside,
        pytest.param(
            with_other_rights,
            marks=pytest.mark.skipif(os.name == "nt", reason="a file is read-only or not"),
        ),
        with_a_variable,
        later,
        with_beats,
    ],
)
def test_under_other_conditions_it_runs(grading: Grading, other: Scene) -> None:
    (grading.folder / "main.py").write_text(SCRIPT)
    assert not grading.is_recalled(runs_it, other)
    assert grading.is_recalled(other, other)


def test_with_models_or_alone_it_runs(grading: Grading) -> None:
    (grading.folder / "main.py").write_text(SCRIPT)
    assert not grading.is_recalled(runs_it, runs_it, known=False)
    assert not grading.is_recalled(runs_it, runs_it, models="../task_2_1")


@pytest.mark.parametrize(
    "more",
    [
        "open('written', 'w').close()",
        "open(__file__, 'a').write('# more')",
        "import tempfile; tempfile.mkstemp()",
        "1 / 0",
        "print('x' * 20_000_000)",
    ],
)
def test_who_leaves_a_trace_or_fails_runs_again(grading: Grading, more: str) -> None:
    (grading.folder / "main.py").write_text(f"{SCRIPT}\n{more}\n")

    async def may_fail(task: Task, clock: Clock) -> Run:
        return await task.run(may_fail=True)

    assert not grading.is_recalled(may_fail, may_fail)


def test_an_error_is_everybody_s(grading: Grading) -> None:
    (grading.folder / "main.py").write_text("1 / 0\n")
    for _ in range(2):
        with pytest.raises(Exception, match="ZeroDivisionError"):
            grading.play(runs_it)


def test_a_script_that_is_not_there_has_not_run(grading: Grading) -> None:
    has_run: list[bool] = []

    async def runs_nothing(task: Task, clock: Clock) -> Run:
        try:
            return await task.run()
        finally:
            has_run.append(task.has_run)

    with pytest.raises(NotThere):
        grading.play(runs_nothing)
    assert has_run == [False]


# --- at the same time ----------------------------------------------------------------------------

A_SCRIPT = Script("folder", State((), b""), "run", "main.py", (), Span(0), None)
A_RUN = Run([], seconds(3), 0, [], None)


@pytest.mark.parametrize("done", [A_RUN, None])
def test_a_second_check_waits_for_the_first(
    done: Run | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = KnownRuns()

    class Ended(threading.Event):
        """The first check ends while the second one waits."""

        def wait(self, timeout: float | None = None) -> bool:
            known.end(A_SCRIPT, done)
            return super().wait(timeout)

    monkeypatch.setattr(threading, "Event", Ended)
    assert [known.find(A_SCRIPT), known.find(A_SCRIPT)] == [None, done]
    assert known._at_work == {}


def test_nobody_waits_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "_MOST_WAIT_SECONDS", 0)
    known = KnownRuns()
    assert [known.find(A_SCRIPT), known.find(A_SCRIPT)] == [None, None]
    known.end(A_SCRIPT, A_RUN)
    known.end(A_SCRIPT, None)
    assert known.find(A_SCRIPT) == A_RUN
