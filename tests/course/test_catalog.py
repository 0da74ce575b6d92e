"""The catalog of checks: what of an author's is refused, and sources that threads read at once."""

from __future__ import annotations

import ast
import gc
import re
import shutil
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ml_api_lab.course import catalog, syllabus
from ml_api_lab.course.catalog import parse
from ml_api_lab.errors import CourseError
from tests.support.toy import Course
from tests.support.toy_tasks import CHECKS, ONE_CHECK, RIGHT

TEXT = Path(__file__).read_text(encoding="utf-8")


class Finalized:
    """Garbage whose end runs Python code, in which threads take turns."""

    def __init__(self) -> None:
        self.itself = self

    def __del__(self) -> None:
        for _ in range(20):
            pass


@pytest.fixture
def restless() -> Iterator[None]:
    """Let threads take turns, and garbage be collected, at any time."""
    interval, thresholds = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(1e-6)
    gc.set_threshold(50)
    yield
    sys.setswitchinterval(interval)
    gc.set_threshold(*thresholds)


def test_threads_do_not_disturb_each_other(restless: None) -> None:
    right = ast.dump(ast.parse(TEXT))

    def trees(_: int) -> set[str]:
        found = set()
        for _ in range(30):
            Finalized()
            found.add(ast.dump(parse(TEXT)))
        return found

    with ThreadPoolExecutor(6) as pool:
        assert set.union(*pool.map(trees, range(6))) == {right}


def test_a_warning_is_not_ours() -> None:
    """What Python warns of is the submission's own affair."""
    assert isinstance(parse(r"print('\d')"), ast.Module)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            "10",
            "9",
            "The checks of task_0_1 add up to 9 points; every task has 10 (now: test_one 9).",
        ),
        ("10", "-10", "has -10 points and the hint '?'; points are a whole number from 1, and"),
        ("10", "True", "has True points and the hint '?'; points are a whole number from 1, and"),
        ("10", "5 + 5", "its points or its hint are missing, or not written out; write @points"),
        ('hint="?"', 'hint=""', "the hint ''; points are a whole number from 1, and the hint is"),
        (', hint="?"', "", "its points or its hint are missing, or not written out; write @points"),
        ("10, ", "", "its points or its hint are missing, or not written out; write @points"),
        (
            '@points(10, hint="?")\n',
            "",
            "task_0_1/test_toy.py: test_one has no points; write @points",
        ),
        ('"""Title."""', "pass", "has no docstring; its first line is the check's title."),
        ("(task: Task)", "(task", "checks/task_0_1/test_toy.py does not parse: "),
    ],
)
def test_a_wrong_check(old: str, new: str, sentence: str, tmp_path: Path) -> None:
    course = Course(tmp_path / "course")
    course.task("task_0_1", ONE_CHECK)
    entries = syllabus.read(course.root / "checks" / "syllabus.toml")
    assert [each.title for each in catalog.Catalog(course.root, entries).values()] == ["Title."]
    assert old in ONE_CHECK
    course.task("task_0_1", ONE_CHECK.replace(old, new))
    with pytest.raises(CourseError, match=re.escape(sentence)):
        dict(catalog.Catalog(course.root, entries))


@pytest.mark.parametrize("where", ["checks", "exercises", "solutions"])
def test_orphans(where: str, tmp_path: Path) -> None:
    course = Course(tmp_path / "course")
    course.task("task_0_1", ONE_CHECK)
    entries = syllabus.read(course.root / "checks" / "syllabus.toml")
    # As git leaves a folder that Python has been in.
    (course.root / where / "task_7_7" / "__pycache__").mkdir(parents=True)
    assert len(catalog.Catalog(course.root, entries)) == 1
    (course.root / where / "task_7_7" / "main.py").touch()
    with pytest.raises(CourseError, match=f"{where}/task_7_7 is not in checks/syllabus.toml"):
        dict(catalog.Catalog(course.root, entries))


def test_a_task_without_checks(tmp_path: Path) -> None:
    course = Course(tmp_path / "course")
    course.task("task_0_1", ONE_CHECK)
    entries = syllabus.read(course.root / "checks" / "syllabus.toml")
    shutil.rmtree(course.root / "checks" / "task_0_1")
    with pytest.raises(
        CourseError, match="checks/task_0_1 is in the syllabus, but there is no such"
    ):
        dict(catalog.Catalog(course.root, entries))


def test_copies_beside_tasks_are_no_tasks(tmp_path: Path) -> None:
    """As a file manager makes them."""
    course = Course(tmp_path / "course")
    course.task("task_0_1", CHECKS, RIGHT)
    shutil.copytree(course.root / "exercises/task_0_1", course.root / "exercises/task_0_1 copy")
    assert course.run().score == (10, 10)
