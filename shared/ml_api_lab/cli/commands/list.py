"""`lab list`: all tasks with their points; and what `lab` alone shows of it."""

from __future__ import annotations

import json
import time
from typing import Any

import click

from ml_api_lab.cli.tasks import current_task, here, history_of, lab_command, standing_now, width
from ml_api_lab.cli.text import cut, pad
from ml_api_lab.course.place import Place
from ml_api_lab.course.syllabus import POINTS_PER_TASK
from ml_api_lab.exit_status import ExitStatus
from ml_api_lab.progress.history import Graded, History, Standing
from ml_api_lab.progress.next_step import comparison_line, how_to_go_on

_POINTS_WIDTH = 17


@lab_command("list", "lab list", "lab list --json")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON, for programs.")
def command(as_json: bool) -> int:
    """List all tasks with your best and last points."""
    place = here()
    history = history_of(place)
    if as_json:
        click.echo(json.dumps(as_data(place, history), indent=2))
    else:
        for row in rows(place, history, width(), full=True):
            click.echo(row)
    return ExitStatus.ALL_POINTS


def show_overview() -> int:
    """Show where a student is, and what comes next."""
    place = here()
    history = history_of(place)
    for row in rows(place, history, width(), full=False):
        click.echo(row)
    entry = current_task(place, history)
    click.echo()
    if entry is None:
        click.echo(comparison_line(place.course, place.here, place.syllabus))
    else:
        click.echo(f"Next: {how_to_go_on(place.course, place.here, entry)}")
    return ExitStatus.ALL_POINTS


def rows(place: Place, history: History, columns: int, *, full: bool) -> list[str]:
    """Return the tasks as rows of that width at most, the current one marked.

    Args:
        full: with the parts, and how often and when each task was graded.
    """
    standings = history.standings()
    current = current_task(place, history)
    earned = sum(each.best for task, each in standings.items() if task in place.syllabus.names)
    most = POINTS_PER_TASK * len(place.syllabus.tasks)
    found = [f"{place.syllabus.title}: {earned} of {most} points"]
    if today := _today(history):
        found.append(today)
    if len(in_one := ". ".join(found)) <= columns:
        found = [in_one]  # so that all fits a terminal of 24 rows
    found = [cut(row, columns) for row in found]
    part = ""
    longest = max(len(entry.title) for entry in place.syllabus.tasks)
    titles = min(longest, max(columns - _POINTS_WIDTH - 9, 8))
    for entry in place.syllabus.tasks:
        if full and entry.part != part:
            part = entry.part
            found.append(cut(part, columns))
        standing = standing_now(place, entry, standings.get(entry.name))
        mark = ">" if entry == current else " "
        row = f"{mark} {entry.number:<4} {pad(entry.title, titles)}  {_points(standing)}"
        if full and standing is not None:
            row = f"{pad(row, titles + _POINTS_WIDTH + 10)}{_when(standing)}"
        found.append(cut(row.rstrip(), columns))
    return found


def as_data(place: Place, history: History) -> dict[str, Any]:
    """Return the tasks as data for programs."""
    standings = history.standings()
    current = current_task(place, history)
    tasks = []
    for entry in place.syllabus.tasks:
        standing = standings.get(entry.name)
        tasks.append(
            {
                "name": entry.name,
                "number": entry.number,
                "title": entry.title,
                "part": entry.part,
                "maximum": POINTS_PER_TASK,
                "best": None if standing is None else standing.best,
                "last": None if standing is None else standing.last,
                "grades": 0 if standing is None else standing.times,
                "graded_at": None if standing is None else _iso(standing.at),
            }
        )
    return {
        "title": place.syllabus.title,
        "current": None if current is None else current.name,
        "tasks": tasks,
    }


def _points(standing: Standing | None) -> str:
    if standing is None:
        return " -"
    last = "" if standing.last == standing.best else f"  (now {standing.last})"
    return f"{standing.best:>2} of {POINTS_PER_TASK}{last}"


def _when(standing: Standing) -> str:
    times = "once" if standing.times == 1 else f"{standing.times} times"
    return f"{times}, {time.strftime('%Y-%m-%d %H:%M', time.localtime(standing.at))}"


def _today(history: History) -> str:
    """Return a line about today, "" if nothing was graded."""
    now = time.localtime()
    midnight = time.mktime((now.tm_year, now.tm_mon, now.tm_mday, 0, 0, 0, 0, 0, -1))
    all_rows = history.rows()
    today = [each for each in all_rows if each.at >= midnight]
    if not today:
        return ""
    before = _earned([each for each in all_rows if each.at < midnight])
    more = _earned(all_rows) - before
    times = "once" if len(today) == 1 else f"{len(today)} times"
    return f"Today: graded {times}, {more} new point{'' if more == 1 else 's'}"


def _earned(graded: list[Graded]) -> int:
    best: dict[str, int] = {}
    for each in graded:
        best[each.task] = max(each.points, best.get(each.task, 0))
    return sum(best.values())


def _iso(at: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))
