"""Where somebody is: in which course, and in which task's folder; and which task a name means."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from ml_api_lab.course import syllabus
from ml_api_lab.course.syllabus import Entry, Syllabus
from ml_api_lab.errors import CourseError

_SAID = re.compile(r"(?:task[\s_.-]*)?(\d+)[\s_.,-]+(\d+)", re.IGNORECASE)
_PART_SAID = re.compile(r"(?:part[\s_.-]*)?(\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class Place:
    """A folder of a course.

    Attributes:
        here: the folder.
        course: the root of the course.
        inside: the task in whose folder it is, None if it is in none.
    """

    here: Path
    course: Path
    syllabus: Syllabus
    inside: Entry | None

    def folder(self, entry: Entry) -> Path:
        """Return where a student works on that task."""
        return self.course / "exercises" / entry.name

    def task(self, said: str) -> Entry:
        """Return the task that somebody means: by `3.2`, `3_2`, `task_3_2`, or a path.

        Raises:
            CourseError: there is no such task.
        """
        for part in reversed(re.split(r"[/\\]", said.strip())):
            if found := _SAID.fullmatch(part):
                name = f"task_{int(found[1])}_{int(found[2])}"
                if name in self.syllabus.names:
                    return self.syllabus.entry(name)
        tasks = self.syllabus.tasks
        raise CourseError(
            f"{said!r} is no task of the course; its tasks are {tasks[0].number} to "
            f"{tasks[-1].number} (lab list shows them)."
        )

    def tasks(self, said: str) -> list[Entry]:
        """Return the task that somebody means, or by `0` or `part 0` all tasks of a part.

        Raises:
            CourseError: there is no such task or part.
        """
        if found := _PART_SAID.fullmatch(said.strip()):
            number = f"{int(found[1])}."
            if part := [each for each in self.syllabus.tasks if each.number.startswith(number)]:
                return part
        return [self.task(said)]


def find(here: Path) -> Place:
    """Return what course and task that folder is in.

    Raises:
        CourseError: it is in no course, or the syllabus is wrong.
    """
    here = here.resolve()
    for course in (here, *here.parents):
        if (course / "checks" / "syllabus.toml").is_file():
            read = syllabus.read(course / "checks" / "syllabus.toml")
            return Place(here, course, read, _inside(here, course, read))
    raise CourseError(
        f"{here} is not in a course: neither it nor a folder above it has checks/syllabus.toml; "
        "change into the folder that you got the lab in."
    )


def _inside(here: Path, course: Path, read: Syllabus) -> Entry | None:
    parts = here.relative_to(course).parts
    name = parts[1] if len(parts) > 1 and parts[0] in ("checks", "exercises") else ""
    return read.entry(name) if name in read.names else None


def path_from(here: Path, path: Path) -> str:
    """Return a path as it is written in commands that are given in that folder."""
    try:
        return Path(os.path.relpath(path, here)).as_posix()
    except ValueError:  # another drive
        return path.as_posix()
