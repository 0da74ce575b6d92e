"""What commands have in common: which task is meant, and how their help looks."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from ml_api_lab.course import stubs
from ml_api_lab.course.place import Place, find
from ml_api_lab.course.snapshot import SnapshotError
from ml_api_lab.course.syllabus import Entry
from ml_api_lab.errors import CourseError
from ml_api_lab.progress.folder import lab_folder
from ml_api_lab.progress.history import History, Standing
from ml_api_lab.progress.next_step import next_task
from ml_api_lab.progress.snapshots import Snapshots

_WIDTH_OF_A_FILE = 100


class _WithExamples(click.Command):
    """A command whose help ends with examples."""

    def __init__(self, *arguments: Any, examples: tuple[str, ...] = (), **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._examples = examples

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Examples"):
            for each in self._examples:
                formatter.write_text(each)


class _Group(_WithExamples, click.Group):
    """Commands with a name in common, and examples."""


def lab_command(name: str, *examples: str) -> Callable[[Callable[..., int]], click.Command]:
    """Make a function a command of `lab`; it returns an exit status."""
    return click.command(name, cls=_WithExamples, examples=examples)


def lab_group(name: str, *examples: str) -> Callable[[Callable[..., None]], click.Group]:
    """Make a function a group of commands of `lab`; its docstring is their help."""
    return click.group(name, cls=_Group, examples=examples)


def here() -> Place:
    """Return the place in which the command was given.

    Raises:
        CourseError: it is in no course.
    """
    return find(Path.cwd())


def history_of(place: Place) -> History:
    """Return the history of the course."""
    return History(lab_folder(place.course))


def task_meant(place: Place, said: str | None) -> Entry:
    """Return the task that is named, or else the one that we are in, or else the current one.

    Raises:
        CourseError: there is no task of that name.
    """
    if said is not None:
        return place.task(said)
    if place.inside is not None:
        return place.inside
    entry = current_task(place, history_of(place)) or place.syllabus.tasks[-1]
    click.echo(
        f"(This is task {entry.number}, which lab shows as the next. You can name another one.)",
        err=True,
    )
    return entry


def task_named(place: Place, said: str | None, command: str) -> Entry:
    """Return the task that is named, or else the one that we are in.

    Raises:
        CourseError: there is no task of that name, or no name outside of a task's folder.
    """
    if said is not None:
        return place.task(said)
    if place.inside is not None:
        return place.inside
    example = f"{command} {place.syllabus.tasks[0].number}"
    raise CourseError(f"Which task? Name it, as in {example}, or change into its folder.")


def current_task(place: Place, history: History) -> Entry | None:
    """Return the task to work on; None at the end.

    That is the first of those that were graded last and lack points, or else what comes after them.
    Where nothing was written yet does not count: it was only looked at.
    """
    standings = {
        task: each for task, each in history.standings().items() if task in place.syllabus.names
    }
    begun = [
        task
        for task, each in standings.items()
        if each.last
        or not stubs.is_untouched(place.course, task, place.course / "exercises" / task)
    ]
    latest = max((standings[task].at for task in begun), default=0.0)
    run = [task for task in place.syllabus.names if task in begun]
    run = [task for task in run if standings[task].at == latest]
    points = {task: each.best for task, each in standings.items()}
    points.update({task: standings[task].last for task in run})
    return next_task(place.syllabus, run, points)


def standing_now(place: Place, entry: Entry, standing: Standing | None) -> Standing | None:
    """Return where a student stands with the files that are there now; None if not started.

    The stub has no points, whatever was graded before a reset. Where nothing but it ever was
    graded, the task is not started.
    """
    if standing is None or not stubs.is_untouched(place.course, entry.name, place.folder(entry)):
        return standing
    return replace(standing, last=0) if standing.best else None


def width() -> int:
    """Return how many columns the terminal has; more than enough if it is none."""
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or _WIDTH_OF_A_FILE
    except (OSError, ValueError):
        return _WIDTH_OF_A_FILE


@contextmanager
def writing_snapshots(place: Place) -> Iterator[Snapshots]:
    """Give the kept states of a course to a command that is no use without them.

    Raises:
        SnapshotError: nothing can be kept, so nothing is replaced.
    """
    folder = lab_folder(place.course)
    try:
        yield Snapshots(folder)
    except OSError as error:
        raise SnapshotError(
            f"Your files cannot be kept in {folder} ({error.strerror or error}), so nothing was "
            "changed; make room there, or make it writable."
        ) from error
