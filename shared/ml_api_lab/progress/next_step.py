"""The next step: which task comes next, and the line that says so under a grade."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ml_api_lab.course import stubs
from ml_api_lab.course.place import path_from
from ml_api_lab.course.syllabus import POINTS_PER_TASK, Entry, Syllabus
from ml_api_lab.progress.folder import lab_folder
from ml_api_lab.progress.history import History

_MAX_NAMED = 3


def next_task(syllabus: Syllabus, asked: Sequence[str], points: Mapping[str, int]) -> Entry | None:
    """Return the task to work on next, None if all have all points.

    That is the first of those asked for that lacks points; then the first that does after the last
    of them; then the first of all.

    Args:
        asked: the tasks that were just graded, in the order of the syllabus.
        points: what each task has earned.
    """
    names = syllabus.names
    behind = names.index(asked[-1]) + 1 if asked else 0
    for name in (*asked, *names[behind:], *names):
        if points.get(name, 0) < POINTS_PER_TASK:
            return syllabus.entry(name)
    return None


def next_line(course: Path, here: Path, syllabus: Syllabus, points: Mapping[str, int]) -> str:
    """Return what comes next after a grade of `exercises`, in a line.

    That is "" where it is the one task that was graded: the grade has just spoken of it.

    Args:
        here: the folder in which commands will be given.
        points: what each of the graded tasks has earned, in the order of the syllabus.
    """
    best = {task: each.best for task, each in History(lab_folder(course)).standings().items()}
    entry = next_task(syllabus, list(points), {**best, **points})
    if entry is None:
        return comparison_line(course, here, syllabus)
    if list(points) == [entry.name]:
        return ""
    return f"Next: {how_to_go_on(course, here, entry)}"


def how_to_go_on(course: Path, here: Path, entry: Entry) -> str:
    """Return what to read, edit and run for a task."""
    names = stubs.files_to_edit(course, entry.name)
    folder = course / "exercises" / entry.name
    if 0 < len(names) <= _MAX_NAMED:
        edit = " and ".join(path_from(here, folder / name) for name in names)
    else:
        edit = path_from(here, folder)
    checks = course / "checks" / entry.name
    return (
        f"{entry.number}: read {path_from(here, checks / 'README.md')}, edit {edit}, "
        f"run lab watch {entry.number} (or, to grade once: pytest {path_from(here, checks)})"
    )


def comparison_line(course: Path, here: Path, syllabus: Syllabus) -> str:
    """Return how to compare with the reference, for whoever has all points."""
    last = syllabus.tasks[-1].number
    if not (course / "solutions").is_dir():
        return "Next: nothing is left to do; all tasks have all points."
    mine, reference = (path_from(here, course / each) for each in ("exercises", "solutions"))
    return (
        f"Next: compare with the reference: git diff --no-index {mine} {reference} "
        f"(or: lab diff {last})"
    )
