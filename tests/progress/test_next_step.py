"""What comes next, and the line that says so under a grade in pytest."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ml_api_lab.course.syllabus import Entry, Syllabus
from ml_api_lab.progress.next_step import next_task
from tests.support.lab import keep_stubs
from tests.support.toy import Course
from tests.support.toy_tasks import RIGHT, two_tasks

SYLLABUS = Syllabus("S", tuple(Entry(f"task_0_{number}", "T", "P") for number in range(1, 5)))
TODO = "raise NotImplementedError('to do')\n"


@pytest.mark.parametrize(
    ("asked", "points", "expected"),
    [
        ([], {}, 1),
        ([1], {1: 4}, 1),
        ([1], {1: 10}, 2),
        ([1], {1: 10, 2: 10}, 3),
        ([1, 2, 3], {1: 10, 2: 4, 3: 10}, 2),
        ([4], {4: 10}, 1),
        ([3], {3: 10, 4: 9}, 4),
        ([4], {1: 10, 2: 10, 3: 10, 4: 10}, None),
        ([2], {1: 10, 2: 10, 3: 10, 4: 10}, None),
    ],
)
def test_the_first_that_lacks_points_comes_next(
    asked: list[int], points: dict[int, int], expected: int | None
) -> None:
    found = next_task(
        SYLLABUS,
        [f"task_0_{number}" for number in asked],
        {f"task_0_{number}": each for number, each in points.items()},
    )
    assert found == (None if expected is None else SYLLABUS.tasks[expected - 1])


@pytest.fixture
def course(tmp_path: Path) -> Course:
    course = two_tasks(tmp_path / "course")
    for name in ("task_0_1", "task_0_2"):
        (course.root / "exercises" / name / "main.py").write_text(TODO, encoding="utf-8")
    return keep_stubs(course)


def lines_of_next(text: str) -> list[str]:
    """Return the last line above pytest's closing line, if it says what comes next."""
    return [line for line in text.splitlines()[-2:-1] if line.startswith("Next:")]


def test_a_grade_of_exercises_ends_with_it(course: Course) -> None:
    assert lines_of_next(course.run().text) == [
        "Next: 0.1: read checks/task_0_1/README.md, edit exercises/task_0_1/main.py, "
        "run lab watch 0.1 (or, to grade once: pytest checks/task_0_1)"
    ]
    # The grade has just spoken of the one task that was asked for.
    assert lines_of_next(course.run("checks/task_0_1").text) == []
    (course.root / "exercises" / "task_0_1" / "main.py").write_text(RIGHT, encoding="utf-8")
    assert lines_of_next(course.run(cwd="exercises/task_0_1").text) == [
        "Next: 0.2: read ../../checks/task_0_2/README.md, edit ../task_0_2/main.py, "
        "run lab watch 0.2 (or, to grade once: pytest ../../checks/task_0_2)"
    ]


def test_after_the_last_task_comes_the_reference(course: Course) -> None:
    for name in ("task_0_1", "task_0_2"):
        (course.root / "exercises" / name / "main.py").write_text(RIGHT, encoding="utf-8")
    assert lines_of_next(course.run().text) == [
        "Next: compare with the reference: git diff --no-index exercises solutions "
        "(or: lab diff 0.2)"
    ]
    shutil.rmtree(course.root / "solutions")
    assert lines_of_next(course.run().text) == [
        "Next: nothing is left to do; all tasks have all points."
    ]


def test_other_trees_end_with_none_and_leave_nothing(course: Course) -> None:
    assert lines_of_next(course.run("--tree=solutions").text) == []
    assert not (course.root / ".lab").exists()


def test_a_part_of_a_task_is_not_remembered(course: Course) -> None:
    course.run("checks/task_0_1", "-k", "greets")
    assert not (course.root / ".lab" / "history.sqlite3").exists()


def test_what_cannot_be_written_costs_nothing(course: Course) -> None:
    (course.root / ".lab").write_text("a file where a folder should be", encoding="utf-8")
    graded = course.run()
    assert (graded.status, graded.score) == (1, (0, 20))
    assert len(lines_of_next(graded.text)) == 1
