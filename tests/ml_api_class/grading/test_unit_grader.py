"""The grader of units: the points of a run of pytest, without it, and a third state for its own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ml_api_class.grading.unit import Settings, Unit
from ml_api_class.grading.unit_grader import UnitGrader
from ml_api_class.task_files import TaskFiles
from ml_api_lab.errors import HarnessError
from ml_api_lab.trials.trial import forget_checks
from tests.ml_api_class.toy_class import TASKS, task_files
from tests.support.toy import Course
from tests.support.toy_tasks import CHECKS, RIGHT, WRONG

DIES = "import os\nos._exit(3)\n"
ON_THE_WALL_CLOCK = '''
@on_the_wall_clock
@points(4, hint="?")
async def test_reads(task: Task):
    """It is only read."""
    assert b"sleep" in task.files.data("main.py", 1000), "main.py does not sleep."

@on_the_wall_clock
@points(6, hint="?")
async def test_runs(task: Task):
    """It is run."""
    process = task.start(["python", "main.py"])
    await process.wait_for_exit(60)
    assert process.status != 0, f"It ended with {process.status}."
'''


@pytest.fixture(scope="module")
def grader(course: Course) -> Iterator[UnitGrader]:
    before = list(sys.path)
    grader = UnitGrader(Settings(course.root, TASKS, "none", 7, 0))
    yield grader
    grader.close()
    sys.path[:] = before
    forget_checks()


def unit(**files: TaskFiles) -> Unit:
    return Unit("ada", tuple((task, each.pack()) for task, each in files.items()))


def test_it_grades_each_task_of_a_unit(grader: UnitGrader) -> None:
    told: list[tuple[int, int]] = []
    answer = grader.grade(
        unit(task_0_1=task_files(RIGHT), task_0_2=task_files(WRONG)),
        lambda done, number: told.append((done, number)),
    )
    assert [(each.task, each.score, each.maximum) for each in answer.verdicts] == [
        ("task_0_1", 10, 10),
        ("task_0_2", 0, 10),
    ]
    assert not any(each.is_doubtful for each in answer.verdicts)
    greets, waits = answer.verdicts[1].checks
    assert greets.message == "It printed 'bye'; 'hello' is right."
    assert "exercises/task_0_2" not in greets.message
    assert "pytest checks/task_0_2/test_toy.py::test_greets --seed=7" in greets.card
    assert (waits.lab_time, answer.verdicts[0].checks[1].lab_time) == (0, 2_000_000_000)
    assert told[-1] == (4, 4)


def test_it_starts_what_a_unit_needs_and_doubts_what_ran_on_the_wall_clock(tmp_path: Path) -> None:
    course = Course(tmp_path / "course")
    course.task("task_0_1", CHECKS, WRONG, RIGHT)
    course.task("task_0_2", ON_THE_WALL_CLOCK, WRONG, RIGHT)
    before = list(sys.path)
    grader = UnitGrader(Settings(course.root, TASKS, "none", 7, 0))
    pools = grader._grader._runner.pools
    try:
        assert not pools._pools
        grader.grade(unit(task_0_1=task_files(RIGHT)))
        assert {clock for clock, _ in pools._pools} == {"lab"}
        (verdict,) = grader.grade(unit(task_0_2=task_files(WRONG))).verdicts
        assert {clock for clock, _ in pools._pools} == {"lab", "real"}
    finally:
        grader.close()
        sys.path[:] = before
        forget_checks()
    assert [(each.message, each.is_doubtful) for each in verdict.checks] == [
        ("main.py does not sleep.", False),
        ("It ended with 0.", True),
    ]


def test_what_dies_is_doubtful_and_what_is_missing_is_not(grader: UnitGrader) -> None:
    answer = grader.grade(
        unit(task_0_1=task_files(DIES), task_0_2=TaskFiles(is_missing=True, beside=("task-0-2",)))
    )
    dead, missing = answer.verdicts
    assert (dead.score, dead.is_doubtful) == (0, True)
    assert (missing.score, missing.is_doubtful) == (0, False)
    assert missing.checks[0].message == (
        "exercises/task_0_2 is missing; rename task-0-2 to task_0_2."
    )


def test_a_task_with_a_problem_has_its_sentence_and_no_points(grader: UnitGrader) -> None:
    problem = "task_0_1 holds more than 5000 files."
    (verdict,) = grader.grade(unit(task_0_1=TaskFiles(problem=problem))).verdicts
    assert (verdict.score, verdict.maximum) == (0, 10)
    assert {each.message for each in verdict.checks} == {problem}


@pytest.mark.parametrize("error", [HarnessError("There is no room."), KeyError("no room")])
def test_a_failure_of_the_harness_is_no_verdict(
    grader: UnitGrader, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(grader._grader._runner, "lay_out", fails)
    monkeypatch.setattr(grader._grader._runner, "task", fails)
    answer = grader.grade(unit(task_0_1=task_files(RIGHT)))
    assert answer.verdicts == ()
    assert "no room" in answer.harness_problem
