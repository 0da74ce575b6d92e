"""`lab reset`: a task as it was handed out, or as an earlier state had it."""

from __future__ import annotations

import click

from ml_api_lab.cli.replacing import writing_states
from ml_api_lab.cli.tasks import here, lab_command, task_named
from ml_api_lab.course import stubs
from ml_api_lab.course.state import State
from ml_api_lab.exit_status import ExitStatus
from ml_api_lab.progress.states import short


@lab_command("reset", "lab reset 3.2", "lab reset 3.2 --to 1a2b3c4d")
@click.argument("task", required=False)
@click.option("--to", "to", metavar="STATE", help="Bring back this state (see lab history TASK).")
def command(task: str | None, to: str | None) -> int:
    """Bring TASK back as it was handed out.

    Your files are kept first, graded or not; lab undo brings them back.
    """
    place = here()
    entry = task_named(place, task, "lab reset")
    folder = place.folder(entry)
    with writing_states(place) as states:
        if to is None:
            after, described = stubs.read(place.course, entry.name), "as it was handed out"
        else:
            digest = states.named(entry.name, to)
            after, described = states.get(entry.name, digest), f"as in the state {short(digest)}"
        changed = after.differing(State.read(folder))
        if not changed:
            click.echo(f"{entry.number} is {described} already.")
            return ExitStatus.ALL_POINTS
        replaced = states.replace(entry.name, folder, after)
    click.echo(f"{entry.number} is {described}. Changed: {', '.join(changed)}.")
    click.echo(f"Your files are kept as {short(replaced.before)}; lab undo brings them back.")
    return ExitStatus.ALL_POINTS
