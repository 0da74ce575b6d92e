"""The points and the counts that READMEs and pages tell, against those of the checks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from ml_api_lab.course.catalog import Check
from ml_api_lab.course.syllabus import POINTS_PER_TASK, Syllabus

_TASKS, _POINTS = "tasks", "points"
COUNTS = (
    ("README.md", r"a lab in (\d+) tasks", _TASKS),
    ("README.md", rf"{POINTS_PER_TASK} points a task, (\d+) in all", _POINTS),
    ("docs/lab.md", r"in (\d+) small tasks", _TASKS),
    ("docs/ci.md", rf"{POINTS_PER_TASK} each, (\d+) for all", _POINTS),
    ("docs/ci.md", r"Only 1 of (\d+) tasks was graded", _TASKS),
    ("docs/ci.md", r"of the course's (\d+) points", _POINTS),
)
"""Where pages count the course's tasks or points: a page, a pattern, and what the number tells."""


def told_points(readme: str) -> list[int]:
    """Return the points that a task's README tells under "Checked", in their order."""
    checked = readme.partition("Checked")[2].partition("<details")[0]
    return numbers(checked, r"\((\d+)\)")


def wrong_points(course: Path, task: str, checks: Sequence[Check]) -> Iterator[str]:
    """Yield a sentence if a task's README tells other points than its checks have."""
    path = course / "checks" / task / "README.md"
    where = path.relative_to(course).as_posix()
    if not path.is_file():
        yield f"{where} is not there: students are not told what to build"
        return
    told = told_points(path.read_text(encoding="utf-8"))
    right = [check.points for check in checks]
    if told != right:
        yield (
            f'{where} tells the points {_list(told)} under "Checked", for {len(told)} checks; the '
            f"{len(right)} checks have {_list(right)}, in this order"
        )


def wrong_counts(course: Path, syllabus: Syllabus) -> Iterator[str]:
    """Yield a sentence for each page that counts the course's tasks or points wrong."""
    number = len(syllabus.tasks)
    right = {_TASKS: number, _POINTS: POINTS_PER_TASK * number}
    for page, pattern, what in COUNTS:
        path = course / page
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        for told in numbers(text, pattern):
            if told != right[what]:
                yield f"{page} tells of {told} {what}; the course has {right[what]}"


def numbers(text: str, pattern: str) -> list[int]:
    """Return the numbers that a pattern finds in a text."""
    return [int(each) for each in re.findall(pattern, text)]


def _list(told: Sequence[int]) -> str:
    return ", ".join(map(str, told)) or "of none"
