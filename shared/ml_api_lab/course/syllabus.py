"""The syllabus: which parts and tasks the course has, in order. One TOML file says it all."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ml_api_lab.errors import CourseError

FORMAT = 1
POINTS_PER_TASK = 10


@dataclass(frozen=True)
class Entry:
    """A task.

    Attributes:
        name: its folder's name.
        part: the title of its part.
        preload: the modules that its hosts have loaded beforehand.
        models: the folder, relative to its own, in which its checks lay stand-in models.
        follows: the task whose solution its stub carries on from.
    """

    name: str
    title: str
    part: str
    preload: tuple[str, ...] = ()
    models: str | None = None
    follows: str | None = None

    @property
    def number(self) -> str:
        return self.name.removeprefix("task_").replace("_", ".")


@dataclass(frozen=True)
class Syllabus:
    """The course."""

    title: str
    tasks: tuple[Entry, ...]

    @property
    def names(self) -> list[str]:
        return [entry.name for entry in self.tasks]

    @property
    def parts(self) -> list[str]:
        return list(dict.fromkeys(entry.part for entry in self.tasks))

    def entry(self, name: str) -> Entry:
        return next(entry for entry in self.tasks if entry.name == name)


def read(path: Path) -> Syllabus:
    """Read the syllabus.

    Raises:
        CourseError: the file is not there, not TOML, or says something it should not.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CourseError(f"The syllabus {path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CourseError(f"The syllabus {path.name} is not valid TOML: {error}.") from error
    _fields(content, path.name, {"format": int, "title": str, "part": list})
    if content["format"] != FORMAT:
        raise CourseError(
            f"The syllabus has format {content['format']}; this lab reads format {FORMAT}."
        )
    tasks: list[Entry] = []
    for part in content["part"]:
        _fields(part, "a part", {"title": str, "task": list}, {"preload": list, "models": str})
        for task in part["task"]:
            tasks.append(_task(task, part))
    names = [task.name for task in tasks]
    for name in names:
        if names.count(name) > 1:
            raise CourseError(f"The syllabus lists {name} twice.")
    for task in tasks:
        if task.follows is not None and task.follows not in names[: names.index(task.name)]:
            raise CourseError(f"{task.name} follows {task.follows}, which is no task before it.")
    return Syllabus(content["title"], tuple(tasks))


def _task(task: Any, part: dict[str, Any]) -> Entry:
    _fields(task, "a task", {"name": str, "title": str}, {"follows": str})
    if not re.fullmatch(r"task_\d+_\d+", task["name"]):
        raise CourseError(f"{task['name']!r} is no name for a task; task_3_2 would be one.")
    preload = tuple(str(each) for each in part.get("preload", ()))
    return Entry(
        task["name"],
        task["title"],
        part["title"],
        preload,
        part.get("models"),
        task.get("follows"),
    )


def _fields(
    table: Any, where: str, required: dict[str, type], optional: dict[str, type] | None = None
) -> None:
    known = {**required, **(optional or {})}
    if not isinstance(table, dict):
        raise CourseError(f"In the syllabus, {where} is not a table.")
    for name in required:
        if name not in table:
            raise CourseError(f"In the syllabus, {where} lacks the field {name!r}.")
    for name, value in table.items():
        if name not in known:
            valid = ", ".join(known)
            raise CourseError(
                f"In the syllabus, {where} has an unknown field {name!r}; valid are {valid}."
            )
        if not isinstance(value, known[name]):
            raise CourseError(
                f"In the syllabus, {name!r} of {where} is {value!r}, not a {known[name].__name__}."
            )
