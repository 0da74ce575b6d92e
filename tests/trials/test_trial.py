"""Loading checks: what is on the disk counts, whatever Python keeps compiled."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ml_api_lab.course.catalog import Check
from ml_api_lab.trials.trial import forget_checks, load


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A course whose check takes its answer from a module of the checks."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.syspath_prepend(tmp_path)
    forget_checks()
    (tmp_path / "checks" / "task_0_1").mkdir(parents=True)
    (tmp_path / "checks" / "answers.py").write_text("ANSWER = 1\n")
    source = "from checks.answers import ANSWER\n\n\nasync def test_it(): ...\n\n\nSIZE = 1\n"
    (tmp_path / "checks" / "task_0_1" / "test_it.py").write_text(source)
    yield tmp_path
    forget_checks()


def loaded(course: Path) -> tuple[int, int]:
    check = Check(task="task_0_1", file="test_it.py", name="test_it", title="", points=1, hint="?")
    names = load(course, check).__globals__
    return names["ANSWER"], names["SIZE"]


def test_a_change_of_the_same_size_in_the_same_second_is_loaded(course: Path) -> None:
    files = [course / "checks" / "answers.py", course / "checks" / "task_0_1" / "test_it.py"]
    assert loaded(course) == (1, 1)
    for number in (2, 3):
        for file in files:
            saved = file.stat()
            file.write_text(file.read_text().replace(f"= {number - 1}", f"= {number}"))
            os.utime(file, ns=(saved.st_atime_ns, saved.st_mtime_ns + 1))
        forget_checks()
        assert loaded(course) == (number, number)


def test_what_has_not_been_forgotten_is_loaded_once(course: Path) -> None:
    assert loaded(course) == (1, 1)
    (course / "checks" / "task_0_1" / "test_it.py").write_text("no Python")
    assert loaded(course) == (1, 1)
