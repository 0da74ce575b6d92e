"""A toy course: what the tests of the harness grade.

`Course` is a whole course of a few files, graded by a `pytest` of its own as a student would run
it. `Scenes` plays single scenes with a submission in this process, without pytest.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import textwrap
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from ml_api_lab.course.syllabus import Entry
from ml_api_lab.course.tree import Tree
from ml_api_lab.lab_time import NS
from ml_api_lab.protocol.confinement import UNCONFINED, Confinement
from ml_api_lab.protocol.messages import ClockName
from ml_api_lab.sandbox.clock import Clock
from ml_api_lab.sandbox.hosts.pools_of_a_run import HostPools
from ml_api_lab.sandbox.runs import Run
from ml_api_lab.task import Task
from ml_api_lab.trials.task_runner import TaskRunner

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 240
"""Seconds of real time after which a run that should have ended long ago is given up."""

_ENDING_SECONDS = 10.0
"""How long a process may take that was told to end."""

T = TypeVar("T")


@dataclass(frozen=True)
class Graded:
    """One run of pytest, as its user and its report file see it."""

    status: int
    text: str
    report: dict[str, Any] | None

    @property
    def checks(self) -> dict[str, dict[str, Any]]:
        """The report's entry of each check, by "task_0_1 test_name"."""
        assert self.report is not None, self.text
        return {
            f"{task['name']} {check['id'].rpartition('::')[2]}": check
            for task in self.report["tasks"]
            for check in task["checks"]
        }

    @property
    def messages(self) -> dict[str, str]:
        """The sentence of each check that did not pass."""
        return {name: each["message"] for name, each in self.checks.items() if each["message"]}

    @property
    def outcomes(self) -> dict[str, str]:
        return {name: each["outcome"] for name, each in self.checks.items()}

    @property
    def score(self) -> tuple[int, int]:
        assert self.report is not None, self.text
        return self.report["score"], self.report["maximum"]


def own_environment(**env: str) -> dict[str, str]:
    """Return the environment of a run: none of the lab's own settings, no colours.

    Plugins that lie beside the lab stay out, with what they take to load: the lab's own are loaded
    by name.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LAB_")}
    for name in ("PYTEST_ADDOPTS", "PYTEST_CURRENT_TEST", "FORCE_COLOR", "CI", "GITHUB_ACTIONS"):
        kept.pop(name, None)
    fixed = {"COLUMNS": "100", "NO_COLOR": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return {**kept, **fixed, **env}


@contextmanager
def started(
    command: Sequence[str], folder: Path, environment: Mapping[str, str]
) -> Iterator[subprocess.Popen[str]]:
    """Start a process whose output is read while it runs; it is ended with the block, or late."""
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    limit = threading.Timer(LIMIT, process.kill)
    limit.start()
    try:
        yield process
    finally:
        limit.cancel()
        process.terminate()
        try:
            process.communicate(timeout=_ENDING_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


class Course:
    """A course in that folder, with the pytest settings of the real one."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self._tasks: dict[str, str] = {}
        self._preload: list[str] = []
        (self.root / "checks").mkdir(parents=True)
        shutil.copy(ROOT / "pyproject.toml", self.root)
        self.write_syllabus()

    def preload(self, *modules: str) -> None:
        """Let every host have these modules loaded."""
        self._preload = list(modules)
        self.write_syllabus()

    def task(
        self,
        name: str,
        checks: str,
        exercise: Mapping[str, str | bytes] | str | bytes = "",
        solution: Mapping[str, str | bytes] | str | bytes | None = None,
    ) -> None:
        """Add a task; a text instead of files is its `main.py`."""
        self._tasks[name] = f"Toy {name}"
        self.write_syllabus()
        for tree, files in (
            ("checks", {"test_toy.py": CHECK_HEADER + textwrap.dedent(checks)}),
            ("exercises", exercise),
            ("solutions", exercise if solution is None else solution),
        ):
            folder = self.root / tree / name
            folder.mkdir(parents=True, exist_ok=True)
            contents = files if isinstance(files, Mapping) else {"main.py": files}
            for file, content in contents.items():
                data = content if isinstance(content, bytes) else textwrap.dedent(content).encode()
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                (folder / file).write_bytes(data)

    def write_syllabus(self) -> None:
        """Write the syllabus of the tasks so far."""
        lines = ["format = 1", 'title = "Toy course"', "[[part]]", 'title = "Only part"']
        lines.append(f"preload = {json.dumps(self._preload)}")
        for name, title in self._tasks.items():
            lines += ["[[part.task]]", f'name = "{name}"', f'title = "{title}"']
        if not self._tasks:
            lines.append("task = []")
        text = "\n".join(lines) + "\n"
        (self.root / "checks" / "syllabus.toml").write_text(text, encoding="utf-8")

    def command(self, *args: str) -> list[str]:
        return [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *args]

    def run(self, *args: str, cwd: str = ".", report: bool = True, **env: str) -> Graded:
        """Run pytest in that folder of the course."""
        file = self.root.parent / f"{self.root.name}-grade.json"
        file.unlink(missing_ok=True)
        done = subprocess.run(
            self.command(*args, *([f"--report=json={file}"] if report else [])),
            cwd=self.root / cwd,
            env=own_environment(**env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="backslashreplace",
            timeout=LIMIT,
            check=False,
        )
        content = json.loads(file.read_text(encoding="utf-8")) if file.exists() else None
        return Graded(done.returncode, done.stdout, content)


CHECK_HEADER = """\
import asyncio

import pytest

from ml_api_lab.check import (
    Clock, Hinted, Task, answered_at, milliseconds, on_the_wall_clock, points, seconds, took
)

"""


class Scenes:
    """Plays scenes: a submission's source, and what a check does with it."""

    def __init__(self, folder: Path, *preload: str, confinement: Confinement = UNCONFINED) -> None:
        self._folder = folder
        self._entry = Entry("task_9_9", "Scene", "Scenes", preload)
        self._runner = TaskRunner(HostPools(confinement))
        self._number = 0

    def play(
        self,
        source: str,
        scene: Callable[[Task, Clock], Awaitable[T]],
        *,
        clock: ClockName = "lab",
        budget: float = 60,
    ) -> T:
        """Put that source to work as a task's `main.py`; return what the scene returns."""
        self._number += 1
        root = self._folder / f"scene-{self._number}"
        folder = root / self._entry.name
        folder.mkdir(parents=True)
        (folder / "main.py").write_text(textwrap.dedent(source), encoding="utf-8")
        return self._runner.play(
            scene,
            self._entry,
            Tree("scene", root),
            random.Random(1),
            clock=clock,
            budget=budget,
        )

    def script(self, source: str, env: Mapping[str, str] | None = None, **options: Any) -> Run:
        """Run that source as a script."""

        async def scene(task: Task, clock: Clock) -> Run:
            return await task.run("main.py", env)

        return self.play(source, scene, **options)

    def events(self, source: str, env: Mapping[str, str] | None = None) -> list[tuple[float, str]]:
        """Run that source as a script; return what it printed, and at which second."""
        return [(line.at / NS, line.text) for line in self.script(source, env).lines]

    def close(self) -> None:
        self._runner.close()
