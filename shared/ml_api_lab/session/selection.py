"""What the command line asks for: which tasks, and of which tree."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from ml_api_lab.course.tree import TREES, nearest
from ml_api_lab.errors import CourseError

_WORKERS = {
    "numprocesses": ("pytest-xdist", "-n"),
    "tx": ("pytest-xdist", "--tx"),
    "forked": ("pytest-forked", "--forked"),
    "workers": ("pytest-parallel", "--workers"),
}
"""The options with which a plugin runs tests in other processes: its name, and how one asks."""


class Selection:
    """What pytest was asked for, by paths and by where it was called.

    Args:
        tasks: the names of the course's tasks.
    """

    def __init__(self, config: pytest.Config, tasks: list[str]) -> None:
        self._config = config
        self._course = config.rootpath
        self._tasks = tasks

    def tree(self) -> str | None:
        """Take a task's folder in a tree as its checks; return the name of that tree.

        Raises:
            CourseError: a path may have been meant for a task or a tree, and is none.
        """
        named: str | None = None
        mapped = []
        for arg in self._arguments():
            parts = self._parts(arg)
            if parts and not self._lies_there(parts):
                self._require_task(arg, parts[1:2] if parts[0] in ("checks", *TREES) else parts[:1])
            elif not parts:
                self._refuse_tree(arg)
            if parts and parts[0] in TREES:
                named = parts[0]
                mapped.append(str(self._course.joinpath("checks", *parts[1:2])))
            else:
                mapped.append(arg)
        if named is not None:
            self._config.args = mapped
        return named

    def _arguments(self) -> list[str]:
        """Return what the command line names; where pytest was called if it names nothing."""
        if self._config.args_source is not pytest.Config.ArgsSource.ARGS:
            return [str(self._config.invocation_params.dir)]
        return self._config.args

    def _parts(self, arg: str) -> tuple[str, ...]:
        """Return the names on the way from the course to that argument, none if it lies outside."""
        path = Path(os.path.abspath(self._config.invocation_params.dir / arg.split("::")[0]))
        return path.relative_to(self._course).parts if path.is_relative_to(self._course) else ()

    def _lies_there(self, parts: tuple[str, ...]) -> bool:
        """Whether pytest will find it; of a tree's folders only those of tasks mean anything."""
        path = self._course.joinpath(*parts)
        return path.exists() if parts[0] == "checks" else len(parts) == 1 and path.is_dir()

    def _require_task(self, arg: str, names: tuple[str, ...]) -> None:
        """Refuse a name that is none of a task's but may have been meant to be.

        Raises:
            CourseError: it is.
        """
        tasks = self._tasks
        for name in names:
            if name in tasks and len(self._parts(arg)) > 1:
                return
            meant = nearest(re.sub(r"\W", "_", name), tasks)
            if meant or name.casefold().startswith("task"):
                valid = f"valid are checks/{tasks[0]} to checks/{tasks[-1]}."
                told = f"did you mean checks/{meant}?" if meant else valid
                raise CourseError(f"{arg!r} is no task of the course; {told}")

    def _refuse_tree(self, arg: str) -> None:
        """Refuse a tree beside the checks: pytest would look for tests in it.

        Raises:
            CourseError: it is one.
        """
        folder = self._config.invocation_params.dir / arg
        if any((folder / task).is_dir() for task in self._tasks):
            raise CourseError(f"{arg!r} holds tasks; to grade them, write --tree={arg}.")

    def refuse_workers(self) -> None:
        """Refuse to grade in other processes, such as pytest-xdist's: each would have a part of it.

        Raises:
            CourseError: checks are to run there.
        """
        options = [each for each in _WORKERS if self._config.getoption(each, None)]
        if not options or all(self._parts(arg)[:1] == ("tests",) for arg in self._arguments()):
            return
        plugin, flag = _WORKERS[options[0]]
        raise CourseError(
            f"Checks are not graded with {plugin} ({flag}), and run side by side without it; "
            f"leave out {flag}."
        )

    def tasks(self) -> list[str]:
        """Return the tasks that the command line names; all, if it names a folder of many."""
        named = []
        for arg in self._config.args:
            parts = Path(arg.split("::")[0]).parts
            named.append(next((name for name in self._tasks if name in parts), None))
        return [name for name in named if name] if all(named) else self._tasks
