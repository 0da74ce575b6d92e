"""Trees of submissions: which one a run grades, where it lies, and what it lacks."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from ml_api_lab.course import tree
from ml_api_lab.errors import CourseError
from tests.support.toy import Course
from tests.support.toy_tasks import CHECKS, RIGHT


def test_a_students_tree(course: Course, tmp_path: Path) -> None:
    """A clone's exercises, one task of them, or LAB_TREE; what it lacks scores 0 and is named."""
    clone = tmp_path / "clone"
    shutil.copytree(course.root / "solutions", clone / "exercises")
    shutil.copytree(course.root / "exercises", clone / "solutions")
    for unpacked in (clone, tmp_path):
        whole = course.run(f"--tree={unpacked}")
        assert (whole.status, whole.score) == (0, (20, 20))
        assert f" Toy course: {clone}/exercises =" in whole.text
    shutil.rmtree(clone / "exercises" / "task_0_1")
    part = course.run(f"--tree={clone}/exercises")
    assert (part.status, part.score) == (1, (10, 20))
    assert part.messages["task_0_1 test_greets"] == "task_0_1 is missing."
    assert part.text.count("task_0_1 is missing.") == 1
    assert "2 passed, 2 of absent tasks" in part.text
    single = course.run("checks/task_0_2", LAB_TREE=f"{clone}/exercises/task_0_2")
    assert (single.status, single.score) == (0, (10, 10))
    assert f" Toy course: {clone}/exercises/task_0_2 =" in single.text


def test_a_tree_in_more_than_one_place(course: Course, tmp_path: Path) -> None:
    for name in ("ada", "bob"):
        shutil.copytree(course.root / "solutions", tmp_path / name / "lab")
    result = course.run(f"--tree={tmp_path}", report=False)
    assert result.status == 4
    assert f"in more than one place ({Path('ada/lab')} and {Path('bob/lab')})" in result.text
    assert f"--tree={tmp_path.as_posix()}/ada/lab" in result.text


def test_the_option_wins_over_the_folder(course: Course) -> None:
    result = course.run("--tree=solutions", cwd="exercises/task_0_1")
    assert (result.status, result.score) == (0, (10, 10))
    assert " Toy course: solutions =" in result.text


def test_an_absent_task_of_the_exercises(tmp_path: Path) -> None:
    course = Course(tmp_path / "course")
    course.task("task_0_1", CHECKS, RIGHT)
    (course.root / "exercises/task_0_1").rename(course.root / "exercises/Task-0-1")
    result = course.run()
    assert (result.status, result.score) == (1, (0, 10))
    sentence = "exercises/task_0_1 is missing; rename Task-0-1 to task_0_1."
    assert set(result.messages.values()) == {sentence}
    assert f"{sentence}\nBring what is missing back from where you got the lab.\n" in result.text
    assert "Hint:" not in result.text


def test_no_tree(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match="There is no tree 'nowhere'; valid are exercises"):
        tree.choose("nowhere", tmp_path, ["task_0_1"])


def test_a_folder_without_a_task_has_a_grade(course: Course, tmp_path: Path) -> None:
    sentence = f"The folder {str(tmp_path)!r} holds no task, such as task_0_1."
    for with_report in (True, False):
        result = course.run(f"--tree={tmp_path}", report=with_report)
        assert result.status == 1
        assert f"task_0_1 and task_0_2 are missing.\n{sentence}\n" in result.text
        assert "Total                                    [....................]   0 of  20" in (
            result.text
        )
        assert (result.report is not None) == with_report


def test_a_tree_in_the_home_folder(course: Course, tmp_path: Path) -> None:
    """Shells leave `~` alone behind `--tree=`."""
    shutil.copytree(course.root / "solutions", tmp_path / "work")
    result = course.run("--tree=~/work", HOME=str(tmp_path), USERPROFILE=str(tmp_path))
    assert (result.status, result.score) == (0, (20, 20))
    assert course.run("--tree=~/no", HOME=str(tmp_path), USERPROFILE=str(tmp_path)).status == 4


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read all")
def test_a_tree_that_nobody_may_read(course: Course, tmp_path: Path) -> None:
    tmp_path.chmod(0)
    try:
        with pytest.raises(CourseError, match="cannot be read: Permission denied"):
            tree.choose(str(tmp_path), course.root, ["task_0_1"])
    finally:
        tmp_path.chmod(0o755)


def test_folders_that_are_not_looked_into(tmp_path: Path) -> None:
    (tmp_path / "repository" / "checks" / "task_0_1").mkdir(parents=True)
    checks = tmp_path / "repository" / "checks"
    assert tree.find_task_folders(tmp_path, ["task_0_1"]) == [checks]
    assert tree.find_task_folders(tmp_path, ["task_0_1"], never_in=["checks"]) == []
