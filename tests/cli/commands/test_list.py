"""`lab` and `lab list`: where a student is."""

from __future__ import annotations

import json
import time

import pytest

from ml_api_lab.cli.text import cells
from ml_api_lab.progress.folder import lab_folder
from ml_api_lab.progress.history import Graded, History
from tests.support.lab import Lab

NOW = time.time()


def graded(lab: Lab, task: str, points: int, at: float = NOW) -> None:
    row = Graded(
        at=at,
        task=task,
        points=points,
        maximum=10,
        seconds=0.1,
        seed=1,
        state="",
        failed="",
        hint="",
        program="lab",
    )
    History(lab_folder(lab.course)).add([row])
    lab.exercise(task).write_text("# begun\n", encoding="utf-8")


def test_before_the_first_grade_the_first_task_comes_next(lab: Lab) -> None:
    said = lab()
    assert said.lines[0] == "Toy course: 0 of 20 points"
    assert said.lines[1] == "> 0.1  Toy task_0_1   -"
    assert said.lines[-1] == (
        "Next: 0.1: read checks/task_0_1/README.md, edit exercises/task_0_1, "
        "run lab watch 0.1 (or, to grade once: pytest checks/task_0_1)"
    )


def test_best_and_last_points_stand_beside_each_other(lab: Lab) -> None:
    graded(lab, "task_0_1", 10, NOW - 3)
    graded(lab, "task_0_1", 4, NOW - 2)
    graded(lab, "task_0_2", 6, NOW - 1)
    said = lab()
    assert said.lines[0].startswith("Toy course: 16 of 20 points")
    assert "  0.1  Toy task_0_1  10 of 10  (now 4)" in said.lines
    assert "> 0.2  Toy task_0_2   6 of 10" in said.lines


def test_what_was_graded_last_and_lacks_points_is_where_one_is(lab: Lab) -> None:
    graded(lab, "task_0_2", 6, NOW - 2)
    graded(lab, "task_0_1", 4, NOW - 1)
    assert lab().lines[1].startswith("> 0.1")


def test_of_one_run_the_first_task_that_lacks_points_is_where_one_is(lab: Lab) -> None:
    graded(lab, "task_0_1", 4)
    graded(lab, "task_0_2", 0)
    assert lab().lines[1].startswith("> 0.1")


def test_what_was_only_looked_at_is_not_where_one_is(lab: Lab) -> None:
    graded(lab, "task_0_1", 4, NOW - 2)
    graded(lab, "task_0_2", 0, NOW - 1)
    lab("reset", "0.2")
    assert lab().lines[1].startswith("> 0.1")


def test_what_was_reset_has_no_points_now(lab: Lab) -> None:
    graded(lab, "task_0_1", 10)
    lab("reset", "0.1")
    assert "  0.1  Toy task_0_1  10 of 10  (now 0)" in lab().lines


def test_what_was_graded_before_anything_was_written_is_not_started(lab: Lab) -> None:
    lab("run", "--all")
    assert "> 0.1  Toy task_0_1   -" in lab().lines
    assert "> 0.1  Toy task_0_1   -" in lab("list").lines
    lab.exercise("task_0_1").write_text("# begun\n", encoding="utf-8")
    assert "> 0.1  Toy task_0_1   0 of 10" in lab().lines


def test_today_is_told_apart(lab: Lab) -> None:
    graded(lab, "task_0_1", 4, NOW - 3 * 24 * 3600)
    assert "Today" not in lab().out
    graded(lab, "task_0_1", 10, time.time())
    assert lab().lines[0] == "Toy course: 10 of 20 points. Today: graded once, 6 new points"


def test_with_all_points_the_reference_comes_next(lab: Lab) -> None:
    graded(lab, "task_0_1", 10)
    graded(lab, "task_0_2", 10)
    assert lab().lines[-1] == (
        "Next: compare with the reference: git diff --no-index exercises solutions "
        "(or: lab diff 0.2)"
    )


def test_paths_are_those_from_where_one_is(lab: Lab) -> None:
    said = lab(here="exercises/task_0_1")
    assert "read ../../checks/task_0_1/README.md, edit ., " in said.lines[-1]


def test_the_full_list_has_parts_and_times(lab: Lab) -> None:
    graded(lab, "task_0_1", 4, NOW)
    lines = lab("list").lines
    assert "Only part" in lines
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(NOW))
    assert any(line.endswith(f"once, {when}") for line in lines)


def test_programs_get_the_same_as_json(lab: Lab) -> None:
    graded(lab, "task_0_1", 10, 0)
    graded(lab, "task_0_1", 3, 60)
    data = json.loads(lab("list", "--json").out)
    assert data["current"] == "task_0_1"
    assert data["tasks"][0] == {
        "name": "task_0_1",
        "number": "0.1",
        "title": "Toy task_0_1",
        "part": "Only part",
        "maximum": 10,
        "best": 10,
        "last": 3,
        "grades": 2,
        "graded_at": "1970-01-01T00:01:00Z",
    }
    assert data["tasks"][1]["best"] is None


@pytest.mark.parametrize("columns", [20, 40, 80])
@pytest.mark.parametrize("words", [[], ["list"]])
def test_no_row_is_wider_than_the_terminal(
    columns: int, words: list[str], lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    graded(lab, "task_0_1", 10, NOW - 3)
    graded(lab, "task_0_1", 4, NOW - 2)
    monkeypatch.setattr("ml_api_lab.cli.commands.list.width", lambda: columns)
    rows = [line for line in lab(*words).lines if not line.startswith("Next:")]
    assert max(map(cells, rows)) <= columns
