"""Plays what the handout speaks of in lab time, without checks: tasks, and programs of its own."""

from __future__ import annotations

import random
import re
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from ml_api_lab.check import Clock, Task
from ml_api_lab.course import syllabus
from ml_api_lab.course.syllabus import Entry
from ml_api_lab.course.tree import Tree
from ml_api_lab.trials.task_runner import TaskRunner
from tests.proofs.prover import COURSE, cases

T = TypeVar("T")
Scene = Callable[[Task, Clock], Awaitable[T]]

SYLLABUS = syllabus.read(COURSE / "checks" / "syllabus.toml")
SOLUTIONS = Tree("solutions", COURSE / "solutions")
_SEED = 1
_BUDGET = 60.0


class Player:
    """Keeps the processes that plays need; close it when there are no more."""

    def __init__(self) -> None:
        self._runner = TaskRunner()

    def solution(self, task: str, scene: Scene[T], *, trained: bool = False) -> T:
        """Play a scene with a task's reference solution.

        Args:
            trained: load scikit-learn beforehand, for real models.
        """
        return self._play(SYLLABUS.entry(task), SOLUTIONS, scene, trained)

    def mistake(self, task: str, name: str, scene: Scene[T]) -> T:
        """Play a scene with a known mistake of the task's corpus."""
        case = next(each for each in cases("mistake") if (each.task, each.name) == (task, name))
        with tempfile.TemporaryDirectory() as folder:
            case.write(Path(folder))
            return self._play(SYLLABUS.entry(task), Tree("mistake", Path(folder)), scene)

    def program(self, source: str, scene: Scene[T]) -> T:
        """Play a scene with a program of one file, `main.py`."""
        modules = tuple(name for name in ("fastapi",) if re.search(rf"\b{name}\b", source))
        entry = Entry("example", "Example", "Handout", modules)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / entry.name / "main.py"
            path.parent.mkdir()
            path.write_text(source, encoding="utf-8")
            return self._play(entry, Tree("handout", Path(folder)), scene)

    def close(self) -> None:
        self._runner.close()

    def _play(self, entry: Entry, tree: Tree, scene: Scene[T], trained: bool = False) -> T:
        draw = random.Random(_SEED)
        return self._runner.play(scene, entry, tree, draw, budget=_BUDGET, science=trained)
