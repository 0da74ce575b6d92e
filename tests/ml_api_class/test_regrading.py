"""Regrading: a set beside the run, taken or left as a whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from ml_api_class import regrading
from ml_api_class.errors import ClassError
from ml_api_class.grading.unit import Answer
from ml_api_class.journal.journal import Journal
from ml_api_class.supervisor import Supervisor
from tests.ml_api_class.toy_class import TASKS, InstantEngine, origin, put, verdict

STUDENTS = {"ada": "right", "bob": "wrong", "cy": "lucky"}


def grade(folder: Path, points: dict[str, int], checks: str = "c") -> InstantEngine:
    """Grade a run: of task 0.2 each student has those points, in doubt; of task 0.1 all ten."""

    def answer_points(submission: str, task: str) -> int:
        return points[submission] if task == "task_0_2" else 10

    engine = InstantEngine(
        lambda unit: Answer(
            tuple(
                verdict(task, answer_points(unit.submission, task), doubtful=task == "task_0_1")
                for task, _ in unit.tasks
            )
        )
    )
    origins = {"task_0_1": origin("task_0_1"), "task_0_2": origin("task_0_2", checks=checks)}
    with Journal(folder) as journal:
        Supervisor(journal, engine, origins).run()
    return engine


@pytest.fixture
def run(tmp_path: Path) -> Path:
    run = tmp_path / "run"
    run.mkdir()
    with Journal(run, can_create=True) as journal:
        for id_, text in STUDENTS.items():
            put(journal, id_, {"task_0_1": text, "task_0_2": text})
        journal.set("tasks", ",".join(TASKS))
    grade(run, {"ada": 10, "bob": 0, "cy": 10})
    return run


def scores(folder: Path) -> dict[str, int]:
    with Journal(folder) as journal:
        return {each.submission.id: each.score for each in journal.standings()}


def test_only_what_changed_is_graded_and_shown_with_both_cards(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "run2"
    regrading.begin(run, out)
    engine = grade(out, {"ada": 10, "bob": 4, "cy": 0}, checks="changed")
    assert [[task for task, _ in unit.tasks] for unit in engine.units] == [["task_0_2"]] * 3
    with Journal(run) as before, Journal(out) as now:
        found = regrading.changes(before, now)
    assert [(each.now.submission.id, each.difference) for each in found] == [
        ("cy", -10),
        ("bob", 4),
    ]
    page = regrading.to_markdown(found)
    assert "| cy | 20 of 20 | 10 of 20 | -10 |" in page
    assert "Before: 10 of 10 points.\n\nNow: 0 of 10 points.\n\n    It printed 'bye'." in page
    assert "ada" not in page
    assert scores(run) == {"ada": 20, "bob": 10, "cy": 20}


def test_a_set_is_applied_as_a_whole_and_the_run_before_is_kept(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "run2"
    regrading.begin(run, out)
    grade(out, {"ada": 10, "bob": 4, "cy": 0}, checks="changed")
    assert regrading.apply(out) == run
    assert scores(run) == {"ada": 20, "bob": 14, "cy": 10}
    (tmp_path / "old").mkdir()
    (run / regrading.BEFORE).rename(tmp_path / "old" / "journal.sqlite")
    assert scores(tmp_path / "old") == {"ada": 20, "bob": 10, "cy": 20}
    assert sorted(each.name for each in run.iterdir()) == ["journal.sqlite", "lock.sqlite"]
    for function in (regrading.apply, regrading.discard):
        with pytest.raises(ClassError, match="was applied to"):
            function(out)
    regrading.begin(run, tmp_path / "run3")


def test_a_set_is_discarded_and_the_run_is_as_it_was(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "run2"
    before = (run / "journal.sqlite").read_bytes()
    regrading.begin(run, out)
    grade(out, {"ada": 0, "bob": 0, "cy": 0}, checks="changed")
    regrading.discard(out)
    assert not out.exists()
    assert (run / "journal.sqlite").read_bytes() == before


def test_a_set_goes_on_and_is_applied_only_when_whole(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "run2"
    regrading.begin(run, out)
    with Journal(out) as journal:
        journal.forget_grades(["bob"])
    with pytest.raises(ClassError, match=r"1 submissions of .* are not graded yet"):
        regrading.apply(out)
    regrading.begin(run, out)
    grade(out, {"ada": 1, "bob": 2, "cy": 3}, checks="changed")
    regrading.apply(out)
    assert scores(run)["bob"] == 12


def test_a_run_that_went_on_meanwhile_is_not_overwritten(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "run2"
    regrading.begin(run, out)
    grade(out, {"ada": 1, "bob": 2, "cy": 3}, checks="changed")
    with Journal(run) as journal:
        put(journal, "bob", {"task_0_1": "new", "task_0_2": "new"})
    grade(run, {"bob": 10})
    with pytest.raises(ClassError, match="has changed since"):
        regrading.apply(out)
    assert scores(run)["bob"] == 20


def test_what_is_no_set_is_refused(run: Path, tmp_path: Path) -> None:
    for function in (regrading.apply, regrading.discard):
        with pytest.raises(ClassError, match="is no regrade"):
            function(run)
    out = tmp_path / "run2"
    regrading.begin(run, out)
    with pytest.raises(ClassError, match="is itself a regrade"):
        regrading.begin(out, tmp_path / "run3")
    with pytest.raises(ClassError, match="holds another run"):
        regrading.begin(run, run)
