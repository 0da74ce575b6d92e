"""`lab doctor`: what is here, what is missing, and a command for it."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from ml_api_lab.cli.commands import doctor
from ml_api_lab.errors import CourseError
from ml_api_lab.images import engine
from ml_api_lab.progress.folder import lab_folder
from tests.support.lab import Lab


@pytest.fixture(autouse=True)
def _no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(self: object) -> None:
        raise CourseError("there is none")

    monkeypatch.setattr(engine.Engine, "__init__", none)


def test_what_the_lab_needs_is_here(lab: Lab) -> None:
    said = lab("doctor")
    assert said.status == 0
    assert all(line.startswith(("ok  ", "    ")) for line in said.lines)
    assert f"at {sys.executable}" in said.out
    assert re.search(r"^ok  Isolation: \w+\.", said.out, re.MULTILINE)
    assert "Docker: no engine runs here." in said.out


def test_missing_packages_are_named(lab: Lab) -> None:
    settings = lab.course / "pyproject.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(
        text.replace("dependencies = [", 'dependencies = [\n    "no-such-package",', 1),
        encoding="utf-8",
    )
    said = lab("doctor")
    assert said.status == 4
    assert "!!  Packages are missing: no-such-package." in said.lines
    assert f'    "{sys.executable}" -m pip install -e "{lab.course}"' in said.lines


def test_an_old_python_is_told(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_OLDEST_PYTHON", (99, 0))
    said = lab("doctor")
    assert said.status == 4
    assert said.lines[0].startswith("!!  Python ") and "is too old" in said.lines[0]


def test_another_pytest_on_the_path_is_told(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = tmp_path / "pytest"
    monkeypatch.setattr("ml_api_lab.cli.commands.doctor.shutil.which", lambda name: str(other))
    assert f"The pytest at {other} is another one" in lab("doctor").out
    monkeypatch.setattr("ml_api_lab.cli.commands.doctor.shutil.which", lambda name: None)
    said = lab("doctor")
    assert said.status == 0
    assert "No pytest is first on your PATH" in said.out


def test_a_memory_that_cannot_be_written_is_told(lab: Lab) -> None:
    lab_folder(lab.course).write_text("a file where a folder should be", encoding="utf-8")
    said = lab("doctor")
    assert said.status == 0
    assert ".lab cannot be written (" in said.out


def test_a_lab_of_another_course_is_told(lab: Lab) -> None:
    assert "and the lab that runs here belongs to" in lab("doctor").out


def test_without_forks_it_says_so(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_FORK", "0")
    assert "Each check starts Python anew" in lab("doctor").out
