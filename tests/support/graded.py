"""A small course of scripts, and runs of pytest that grade submissions of it.

For tests of what a run leaves behind: its files, its exit status, its output.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ml_api_lab.grading.reports import FORMATS
from tests.support.toy import own_environment

ROOT = Path(__file__).resolve().parents[2]
IDENTITY = {
    "CLASSROOM": "ml-api",
    "ASSIGNMENT": "lab",
    "OWNER": "ada",
    "SUBMISSION_TAG": "submit/2026-06-01T14-32-05Z-a1b2c3d",
    "COMMIT_URL": "https://example.org/ada/commit/a1b2c3d",
    "RELEASE_URL": "https://example.org/ada/releases/tag/submit",
    "REVIEW_URL": "https://example.org/ada/compare/0...a1b2c3d",
}
MAXIMUM = 30
ON_WINDOWS = os.name == "nt"
RIGHT = {
    "task_0_1": "import time\nprint('hello')\ntime.sleep(2)\n",
    "task_0_2": "print('hello')\n",
    "task_1_1": "print('hello')\n",
}
_SYLLABUS = """
format = 1
title = "A small course"

[[part]]
title = "Part 0: talk"
task = [{name = "task_0_1", title = "Wait"}, {name = "task_0_2", title = "Echo"}]

[[part]]
title = "Part 1: more | less"
task = [{name = "task_1_1", title = "Again"}]
"""
_GREETS = '''
from ml_api_lab.check import Clock, Task, points, seconds


@points({points}, hint="What does it print?")
async def test_greets(task: Task) -> None:
    """It says hello."""
    run = await task.run()
    said = run.lines[0].text if run.lines else "nothing"
    assert said == "hello", f"It said {{said}}; right is hello."
'''
_WAITS = '''

@points(6, hint="How long does it wait?")
async def test_waits(task: Task, clock: Clock) -> None:
    """It waits for two seconds & <no> longer."""
    await task.run()
    assert clock.elapsed == seconds(2), f"It took {clock.elapsed}; right is 2 s."
'''


def build(folder: Path) -> Path:
    """Build the course in that folder, which is made; return it."""
    _write(folder, "pyproject.toml", (ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    _write(folder, "checks/syllabus.toml", _SYLLABUS)
    for name, right in RIGHT.items():
        checks = _GREETS.format(points=4) + _WAITS if name == "task_0_1" else ""
        checks = checks or _GREETS.format(points=10)
        _write(folder, f"checks/{name}/test_{name}.py", checks)
        _write(folder, f"exercises/{name}/main.py", "raise NotImplementedError('to do')\n")
        _write(folder, f"solutions/{name}/main.py", right)
    return folder


def submit(folder: Path, **programs: str) -> Path:
    """Write a submission: the right programs but for those given; return its folder."""
    for name, text in {**RIGHT, **programs}.items():
        _write(folder, f"{name}/main.py", textwrap.dedent(text))
    return folder


@dataclass(frozen=True)
class Ran:
    """A run that has ended, and where its reports should be."""

    status: int
    output: str
    reports: dict[str, Path]


def pytest(course: Path, *options: str, environment: Mapping[str, str] | None = None) -> Ran:
    """Run pytest on the course until it ends."""
    process = _start(course, options, environment or {})
    output, _ = process.communicate(timeout=120)
    return Ran(process.returncode, output, {})


def grade(
    course: Path,
    tree: Path | str,
    to: Path,
    *options: str,
    end: signal.Signals | None = None,
    sign: Path | None = None,
) -> Ran:
    """Grade a submission, with all reports.

    Args:
        to: a folder for the reports.
        end: send this to pytest when the file `sign` appears.
    """
    reports = {name: to / f"{name}.out" for name in FORMATS}
    asked = [f"--report={name}={file}" for name, file in reports.items()]
    process = _start(course, (f"--tree={tree}", "--seed=1", *asked, *options), IDENTITY)
    if end is not None and sign is not None:
        while not sign.exists() and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(end)
    output, _ = process.communicate(timeout=120)
    return Ran(process.returncode, output, reports)


def _start(
    course: Path, options: tuple[str, ...], environment: Mapping[str, str]
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options],
        cwd=course,
        env={**own_environment(), "PYTHONPATH": str(ROOT), **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="backslashreplace",
    )


def _write(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
