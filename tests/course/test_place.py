"""Where somebody is, and how paths are written there."""

from __future__ import annotations

from pathlib import Path

import pytest

from ml_api_lab.course.place import find, path_from
from ml_api_lab.errors import CourseError
from tests.support.toy import Course


@pytest.mark.parametrize(
    ("folder", "inside"),
    [
        (".", None),
        ("exercises", None),
        ("exercises/task_0_1", "task_0_1"),
        ("exercises/task_0_1/deep/er", "task_0_1"),
        ("checks/task_0_2", "task_0_2"),
        ("solutions/task_0_1", None),
        ("exercises/task_9_9", None),
    ],
)
def test_a_folder_of_a_course(folder: str, inside: str | None, course: Course) -> None:
    place = find(course.root / folder)
    assert place.course == course.root
    assert (None if place.inside is None else place.inside.name) == inside


@pytest.mark.parametrize("said", ["0", "part 0", "Part_0"])
def test_a_part_means_its_tasks(said: str, course: Course) -> None:
    place = find(course.root)
    assert [entry.number for entry in place.tasks(said)] == ["0.1", "0.2"]
    assert [entry.number for entry in place.tasks("0.2")] == ["0.2"]
    with pytest.raises(CourseError, match="'7' is no task of the course"):
        place.tasks("7")


def test_a_folder_of_no_course(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match="is not in a course"):
        find(tmp_path)


def test_a_broken_syllabus_is_told(tmp_path: Path) -> None:
    (tmp_path / "checks").mkdir()
    (tmp_path / "checks" / "syllabus.toml").write_text("format = ", encoding="utf-8")
    with pytest.raises(CourseError, match="not valid TOML"):
        find(tmp_path)


def test_paths_lead_from_where_one_is(tmp_path: Path) -> None:
    assert path_from(tmp_path / "a" / "b", tmp_path / "c" / "d.py") == "../../c/d.py"
    assert path_from(tmp_path, tmp_path) == "."
