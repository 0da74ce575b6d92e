"""Verifying: what was graded comes out the same again, or is told."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from ml_api_class import verification
from ml_api_class.errors import ClassError, WorkerEnded
from ml_api_class.grading.unit import Answer, Unit
from ml_api_class.journal.journal import Journal
from ml_api_class.supervisor import Supervisor
from tests.ml_api_class.toy_class import TASKS, InstantEngine, origin, put, verdict

ORIGINS = {task: origin(task) for task in TASKS}


def passes(unit: Unit) -> Answer:
    return Answer(tuple(verdict(task, 10) for task, _ in unit.tasks))


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path, can_create=True) as journal:
        for number in range(10):
            put(journal, f"s{number}", {"task_0_1": f"by {number}", "task_0_2": "stub"})
        Supervisor(journal, InstantEngine(passes), ORIGINS).run()
        yield journal


@pytest.mark.parametrize(("share", "number"), [(0.01, 1), (0.5, 5), (1.0, 10)])
def test_a_sample_is_that_share_and_never_nothing(
    journal: Journal, share: float, number: int
) -> None:
    drawn = verification.sample(journal, share, random.Random(1))
    assert len({each.submission.id for each in drawn}) == number


def test_a_run_without_grades_has_no_sample(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with (
        Journal(tmp_path / "empty", can_create=True) as empty,
        pytest.raises(ClassError, match="No submission of this run is graded yet"),
    ):
        verification.sample(empty, 1, random.Random(1))


def test_each_is_graded_whole_and_compared(journal: Journal) -> None:
    standings = list(journal.standings())
    engine = InstantEngine(passes)
    assert verification.verify(journal, engine, standings) == []
    assert [len(unit.tasks) for unit in engine.units] == [2] * 10


def test_what_comes_out_otherwise_is_told(journal: Journal) -> None:
    def otherwise(unit: Unit) -> Answer:
        if unit.submission == "s1":
            return Answer((verdict("task_0_1", 4), verdict("task_0_2", 10)))
        if unit.submission == "s2":
            raise WorkerEnded("The worker that graded it ended by signal 9.")
        if unit.submission == "s3":
            return Answer(harness_problem="There is no room.")
        return passes(unit)

    found = verification.verify(journal, InstantEngine(otherwise), list(journal.standings()))
    assert {each.submission: each.told for each in found} == {
        "s1": ("checks/task_0_1/test_toy.py::test_one: 10 points before, 4 now.",),
        "s2": ("The worker that graded it ended by signal 9.",),
        "s3": ("There is no room.",),
    }


def test_a_changed_course_is_not_compared(journal: Journal) -> None:
    verification.require_same(journal, ORIGINS)
    changed = {**ORIGINS, "task_0_2": origin("task_0_2", checks="x", memory=9)}
    with pytest.raises(ClassError, match="changed for task_0_2: checks, memory"):
        verification.require_same(journal, changed)
