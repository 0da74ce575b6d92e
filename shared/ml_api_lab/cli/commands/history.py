"""`lab history`: the grades so far, and the states that were graded or replaced."""

from __future__ import annotations

import time

import click

from ml_api_lab.cli.tasks import here, history_of, lab_command
from ml_api_lab.course.place import Place
from ml_api_lab.course.snapshot import SnapshotError
from ml_api_lab.exit_status import ExitStatus
from ml_api_lab.progress.folder import lab_folder
from ml_api_lab.progress.snapshots import Snapshots, short


@lab_command("history", "lab history", "lab history 3.2", "lab history 3.2 --show 1a2b3c4d")
@click.argument("task", required=False)
@click.option("--show", "state", metavar="STATE", help="Print the files of this state of TASK.")
@click.option("--limit", default=20, show_default=True, help="Show so many of the last lines.")
def command(task: str | None, state: str | None, limit: int) -> int:
    """Show your last grades, and the kept copies of your files.

    It shows those of TASK, or of all tasks. Each line names a state: the copy of the files that
    were graded, that a reset replaced, or that an undo brought back (behind it, what that
    replaced). lab diff TASK --state compares a state with your files, lab reset TASK --to brings
    it back.
    """
    place = here()
    entry = place.inside if task is None else place.task(task)
    if state is not None:
        if entry is None:
            raise SnapshotError("Name the task as well, as in: lab history 3.2 --show 1a2b3c4d")
        _show(Snapshots(lab_folder(place.course)), entry.name, state)
        return ExitStatus.ALL_POINTS
    lines = _lines(place, None if entry is None else entry.name)
    for _, line in sorted(lines)[-limit:] if limit > 0 else ():
        click.echo(line)
    if not lines:
        click.echo("Nothing was graded yet.")
    return ExitStatus.ALL_POINTS


def _lines(place: Place, task: str | None) -> list[tuple[float, str]]:
    lines = []
    for row in history_of(place).rows(task):
        what = f"{row.points:>2} of {row.maximum}"
        lines.append((row.at, _line(row.at, row.task, what, row.state)))
    for each in Snapshots(lab_folder(place.course)).replacements():
        if task in (None, each.task):
            what = ("undo" if each.undoes else "reset") + ("" if each.done else " (cut off)")
            line = _line(each.at, each.task, what, each.after if each.undoes else each.before)
            line += f"  in place of {short(each.before)}" if each.undoes else ""
            lines.append((each.at, line))
    return lines


def _line(at: float, task: str, what: str, state: str) -> str:
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))
    number = task.removeprefix("task_").replace("_", ".")
    return f"{when}  {number:<4} {what:<16} {short(state)}".rstrip()


def _show(snapshots: Snapshots, task: str, said: str) -> None:
    state = snapshots.get(task, snapshots.named(task, said))
    for name in state.names:
        click.echo(f"--- {name}")
        if name in state.links:
            click.echo(f"(a link to {state.links[name]})")
        else:
            click.echo(state.files[name].data.decode("utf-8", "backslashreplace"))
