"""`lab undo`: takes the last reset back."""

from __future__ import annotations

import click

from ml_api_lab.cli.tasks import here, lab_command, writing_snapshots
from ml_api_lab.exit_status import ExitStatus
from ml_api_lab.progress.snapshots import short


@lab_command("undo", "lab undo", "lab undo 3.2")
@click.argument("task", required=False)
def command(task: str | None) -> int:
    """Undo the last reset, of any task or of TASK.

    The files that are there now are kept as well. A second lab undo undoes the reset before.
    """
    place = here()
    entry = None if task is None else place.task(task)
    with writing_snapshots(place) as snapshots:
        last = snapshots.last_to_undo(None if entry is None else entry.name)
        if last is None:
            click.echo("There is no reset to undo.")
            return ExitStatus.ALL_POINTS
        entry = place.task(last.task)
        replaced = snapshots.undo(entry.name, place.folder(entry), last)
    click.echo(f"{entry.number} is as it was before lab reset.")
    if replaced.before != last.after:
        click.echo(
            f"What was there until now is kept as {short(replaced.before)}; "
            f"lab reset {entry.number} --to {short(replaced.before)} brings it back."
        )
    return ExitStatus.ALL_POINTS
