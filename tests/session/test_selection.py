"""What the command line asks for: which tasks and checks, and of which tree."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.toy import Course
from tests.support.toy_tasks import ONE_CHECK


@pytest.mark.parametrize(
    ("cwd", "args", "shown", "score"),
    [
        ("exercises/task_0_2", [], "exercises", (0, 10)),
        ("solutions", [], "solutions", (20, 20)),
        (".", ["solutions/task_0_2"], "solutions", (10, 10)),
        ("checks/task_0_1", ["test_toy.py::test_greets", "--tree=solutions"], "solutions", (4, 10)),
        (".", ["-k", "waits and task_0_1", "--tree=solutions"], "solutions", (6, 10)),
    ],
)
def test_selection(
    cwd: str, args: list[str], shown: str, score: tuple[int, int], course: Course
) -> None:
    result = course.run(*args, cwd=cwd)
    assert f" Toy course: {shown} =" in result.text
    assert result.score == score
    assert result.status == (1 if shown == "exercises" else 0)


def test_deselected_checks_stay_in_the_denominator(course: Course) -> None:
    result = course.run("-k", "waits", "--tree=solutions", "checks/task_0_1")
    assert result.outcomes == {
        "task_0_1 test_greets": "deselected",
        "task_0_1 test_waits": "passed",
    }
    bar = "[############........]   6 of  10  (1 not selected)\n"
    assert f"0.1 Toy task_0_1                         {bar}" in result.text


def test_a_tree_beside_the_checks(course: Course, tmp_path: Path) -> None:
    shutil.copytree(course.root / "solutions", tmp_path / "ada")
    result = course.run("checks", str(tmp_path / "ada"), report=False)
    assert result.status == 4
    assert f"to grade them, write --tree={tmp_path / 'ada'}." in result.text


def test_a_task_answers_for_its_own_checks(tmp_path: Path) -> None:
    """A broken task stops the runs that it belongs to, and no others."""
    course = Course(tmp_path / "course")
    course.task("task_0_1", ONE_CHECK)
    course.task("task_0_2", ONE_CHECK.replace("10", "9"))
    sentence = "The checks of task_0_2 add up to 9 points"
    alone = course.run("checks/task_0_1")
    assert sentence not in alone.text
    assert alone.score[1] == 10
    for asked in (["checks"], [], ["checks/task_0_2"], ["checks", "checks/task_0_1"]):
        result = course.run(*asked, report=False)
        assert result.status == 4
        assert sentence in result.text
        assert "Traceback" not in result.text
