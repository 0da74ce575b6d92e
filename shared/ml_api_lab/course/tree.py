"""The tree that is graded: `exercises`, `solutions`, or a student's own."""

from __future__ import annotations

import difflib
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ml_api_lab.errors import CourseError

TREES = ("exercises", "solutions")

_MAX_DEPTH = 3
"""How many folders down tasks are looked for: an unpacked archive often adds one or two."""
_MAX_FOLDERS = 500


@dataclass(frozen=True)
class Tree:
    """A folder with one folder for each task.

    Attributes:
        name: how it was asked for, and how it is shown.
        root: the folder.
        single: the task whose folder it is itself, if it is one's.
        problem: what is wrong with it as a whole, in a sentence; "" for nothing.
    """

    name: str
    root: Path
    single: str | None = None
    problem: str = ""

    def folder(self, task: str) -> Path:
        """Return where that task's files are (or should be)."""
        return self.root if self.single == task else self.root / task

    @property
    def is_foreign(self) -> bool:
        """Whether it lies somewhere else than where a student has it."""
        return self.name not in TREES

    def shown(self, task: str) -> str:
        """Return the task's folder as its author knows it, wherever it lies now."""
        return task if self.is_foreign else f"{self.name}/{task}"


def wanted(option: str | None, environment: Mapping[str, str], here: str | None) -> str:
    """Return the name or path of the tree that is asked for: the first that says one.

    Args:
        here: the tree in which the command was called, or of which it names a task's folder.
    """
    named = (option, environment.get("LAB_TREE"), here, TREES[0])
    return next(each for each in named if each is not None)


def choose(name: str, course: Path, tasks: list[str]) -> Tree:
    """Return the tree of that name or path.

    Args:
        name: "exercises", "solutions", or a path to a folder that holds some of the tasks (itself,
            or in the one folder up to three levels below that does), or to the folder of one task.
        course: the root of the course.
        tasks: the names of the course's tasks.

    Raises:
        CourseError: there is no such tree.
    """
    if name in TREES:
        return Tree(name, course / name)
    if not name:
        raise CourseError("The name of the tree is empty: is the variable set that it comes from?")
    root = Path(name).expanduser().resolve()
    valid = f"valid are {', '.join(TREES)}, or the path of a folder with tasks in it"
    try:
        if root.is_file():
            raise CourseError(
                f"{name!r} is a file, and a tree is a folder; unpack it first, or give --tree the "
                "folder that it lies in."
            )
        if not root.is_dir():
            suggestion = nearest(name, TREES)
            told = (
                f"did you mean --tree={suggestion}?"
                if suggestion
                else f"{valid}, as in --tree=solutions."
            )
            raise CourseError(f"There is no tree {name!r}; {told}")
        if root.name in tasks and not _has_tasks(root, tasks):
            return Tree(name, root, single=root.name)
        found = find_task_folders(root, tasks)
    except OSError as error:
        raise CourseError(f"The tree {name!r} cannot be read: {error.strerror or error}.") from None
    if not found:  # nothing was handed in, which is a grade as well
        return Tree(name, root, problem=f"The folder {name!r} holds no task, such as {tasks[0]}.")
    if len(found) > 1:
        inside = " and ".join(str(each.relative_to(root)) for each in found[:2])
        raise CourseError(
            f"The folder {name!r} holds tasks in more than one place ({inside}); say which is "
            f"meant, as in --tree={_joined_name(name, root, found[0])}."
        )
    return Tree(name if found[0] == root else _joined_name(name, root, found[0]), found[0])


def nearest(name: str, valid: Sequence[str]) -> str | None:
    """Return the valid name that somebody who wrote this one may have meant."""
    known = {each.casefold(): each for each in valid}
    close = difflib.get_close_matches(name.casefold(), list(known), 1, 0.85)
    return known[close[0]] if close else None


def _has_tasks(folder: Path, tasks: list[str]) -> bool:
    return any((folder / task).is_dir() for task in tasks)


def find_task_folders(root: Path, tasks: list[str], never_in: Collection[str] = ()) -> list[Path]:
    """Return the folders that hold tasks, of those nearest to the root; `exercises` if it does.

    Args:
        never_in: the names of folders that are not looked into.
    """
    level, seen = [root], 0
    for _ in range(_MAX_DEPTH + 1):
        found = [folder for folder in level if _has_tasks(folder, tasks)]
        if found:
            return [each for each in found if each.name == TREES[0]] or found
        seen += len(level)
        if seen > _MAX_FOLDERS:
            break
        inside = [inner for folder in level for inner in _subfolders(folder)]
        level = [each for each in inside if each.name not in never_in]
    return []


def _subfolders(folder: Path) -> list[Path]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return []
    return [
        Path(entry.path)
        for entry in entries
        if entry.is_dir(follow_symlinks=False) and not entry.name.startswith((".", "__"))
    ]


def _joined_name(name: str, root: Path, folder: Path) -> str:
    return (Path(name) / folder.relative_to(root)).as_posix()
