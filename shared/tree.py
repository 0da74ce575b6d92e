"""The tree that is graded: `exercises`, `solutions`, or a student's own."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from shared.errors import CourseError

TREES = ("exercises", "solutions")


@dataclass(frozen=True)
class Tree:
    """A folder with one folder for each task.

    Attributes:
        name: how it was asked for, and how it is shown.
        tasks: each task's folder, for the tasks that it holds.
    """

    name: str
    root: Path
    single: str | None = None

    def folder(self, task: str) -> Path:
        """Return where that task's files are (or should be)."""
        return self.root if self.single == task else self.root / task

    def shown(self, task: str) -> str:
        """Return the task's folder as a student writes it."""
        folder = self.folder(task)
        try:
            return (
                Path(os.path.relpath(folder)).as_posix()
                if self.name not in TREES
                else (f"{self.name}/{task}")
            )
        except ValueError:  # another drive
            return folder.as_posix()


def choose(name: str, course: Path, tasks: list[str]) -> Tree:
    """Return the tree of that name or path.

    Args:
        name: "exercises", "solutions", or a path to a folder that holds some of the tasks, or to
            the folder of one task.
        course: the root of the course.
        tasks: the names of the course's tasks.

    Raises:
        CourseError: there is no such tree.
    """
    if name in TREES:
        return Tree(name, course / name)
    root = Path(name).expanduser().resolve()
    valid = f"valid are {', '.join(TREES)}, or the path of a folder with tasks in it"
    if not root.is_dir():
        raise CourseError(f"There is no tree {name!r}; {valid}, as in --tree=solutions.")
    if root.name in tasks and not any((root / task).is_dir() for task in tasks):
        return Tree(name, root, single=root.name)
    if not any((root / task).exists() for task in tasks):
        inside = [tree for tree in TREES if (root / tree).is_dir()]
        hint = f"; try --tree={name.rstrip('/')}/{inside[0]}" if inside else f"; {valid}"
        raise CourseError(f"The folder {name!r} holds no task, such as {tasks[0]}{hint}.")
    return Tree(name, root)
