"""The command `lab`, as its user runs it: here, in a process of its own, or in a terminal."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from ml_api_lab.cli.main import main
from ml_api_lab.course import stubs, syllabus
from tests.support.toy import LIMIT, Course, own_environment

COMMAND = [sys.executable, "-m", "ml_api_lab.cli"]


@dataclass(frozen=True)
class Said:
    """What `lab` has said, and its exit status."""

    status: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


class Lab:
    """Runs `lab` in this process, in a folder of a course."""

    def __init__(
        self, course: Path, patch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[str]
    ) -> None:
        self.course = course
        self._patch = patch
        self._capture = capture

    def __call__(self, *words: str, here: str = ".") -> Said:
        self._patch.chdir(self.course / here)
        self._patch.setattr(sys, "argv", ["lab", *words])
        self._capture.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        said = self._capture.readouterr()
        assert isinstance(ended.value.code, int)
        return Said(ended.value.code, said.out, said.err)

    def exercise(self, task: str) -> Path:
        """Return the main file of a student's task."""
        return self.course / "exercises" / task / "main.py"


def run(course: Path, *words: str, here: str = ".", **env: str) -> Said:
    """Run `lab` in a process of its own."""
    done = subprocess.run(
        [*COMMAND, *words],
        cwd=course / here,
        env=own_environment(**env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=LIMIT,
        check=False,
    )
    return Said(done.returncode, done.stdout, done.stderr)


def keep_stubs(course: Course) -> Course:
    """Keep what a toy course hands out, as the stubs of its tasks."""
    for name in syllabus.read(course.root / "checks" / "syllabus.toml").names:
        stubs.write(course.root, name)
    return course
