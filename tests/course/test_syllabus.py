"""The syllabus: what is read of it, and what is refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ml_api_lab.course import syllabus
from ml_api_lab.errors import CourseError

SYLLABUS = """
format = 1
title = "Course"
[[part]]
title = "Part"
[[part.task]]
name = "task_0_1"
title = "One"
"""


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("format = 1", "format = 2", "The syllabus has format 2; this lab reads format 1."),
        ("format = 1\n", "", "In the syllabus, syllabus.toml lacks the field 'format'."),
        ('title = "Course"', "title = 3", "'title' of syllabus.toml is 3, not a str."),
        ('title = "Part"', 'title = "Part"\npoints = 3', "a part has an unknown field 'points'"),
        ('title = "One"', 'title = "One"\nhint = ""', "a task has an unknown field 'hint'"),
        ('name = "task_0_1"\n', "", "a task lacks the field 'name'"),
        ('"task_0_1"', '"first"', "'first' is no name for a task; task_3_2 would be one."),
        (
            'title = "One"',
            'title = "One"\nfollows = "task_0_1"',
            "task_0_1 follows task_0_1, which",
        ),
        ('"Part"', '"Part"\npreload = "json"', "'preload' of a part is 'json', not a list."),
        ("[[part]]", "[part", "The syllabus syllabus.toml is not valid TOML: "),
        ("[[part]]", "[[part]]\n[[part]]", "a part lacks the field 'title'"),
        ("[[part]]", "[part]", "'part' of syllabus.toml is {"),
        (
            'title = "One"',
            'title = "One"\n[[part.task]]\nname = "task_0_1"\ntitle = "Two"',
            "The syllabus lists task_0_1 twice.",
        ),
        (SYLLABUS, 'format = 1\ntitle = ""\npart = [3]', "a part is not a table."),
    ],
)
def test_a_wrong_syllabus(old: str, new: str, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "syllabus.toml"
    path.write_text(SYLLABUS, encoding="utf-8")
    assert syllabus.read(path).names == ["task_0_1"]
    assert old in SYLLABUS
    path.write_text(SYLLABUS.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(CourseError, match=re.escape(sentence)):
        syllabus.read(path)


def test_a_missing_syllabus(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match="cannot be read: No such file"):
        syllabus.read(tmp_path / "syllabus.toml")
