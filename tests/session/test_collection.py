"""Collecting: which tests are checks, and in which order they run."""

from __future__ import annotations

from pathlib import Path

from tests.support.toy import Course
from tests.support.toy_tasks import CHECKS, ONE_CHECK


def test_a_check_in_a_class_is_refused(tmp_path: Path) -> None:
    course = Course(tmp_path / "course")
    course.task("task_0_1", CHECKS + "\nclass TestMore:\n    async def test_more(self): pass\n")
    result = course.run(report=False)
    assert result.status == 4
    assert "test_toy.py::TestMore::test_more is no check: checks are functions" in result.text


def test_the_order_is_the_syllabus(tmp_path: Path) -> None:
    course = Course(tmp_path / "course")
    for name in ("task_0_10", "task_0_9"):
        course.task(name, ONE_CHECK, "")
    result = course.run("-v")
    assert result.text.index("task_0_10/test_toy.py::test_one") < result.text.index(
        "task_0_9/test_toy.py::test_one"
    )
