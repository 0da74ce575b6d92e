"""`lab reset`: a task as it was handed out, or as an earlier state had it."""

from __future__ import annotations

import click

from ml_api_lab.cli.tasks import here, lab_command, task_named, writing_snapshots
from ml_api_lab.course import stubs
from ml_api_lab.course.place import Place
from ml_api_lab.course.snapshot import Snapshot
from ml_api_lab.course.syllabus import Entry
from ml_api_lab.exit_status import ExitStatus
from ml_api_lab.progress.snapshots import Snapshots, short


@lab_command("reset", "lab reset 3.2", "lab reset 0.1 0.2", "lab reset 3.2 --to 1a2b3c4d")
@click.argument("tasks", nargs=-1)
@click.option("--to", "to", metavar="STATE", help="Bring back this state (see lab history TASK).")
def command(tasks: tuple[str, ...], to: str | None) -> int:
    """Bring back the stubs of TASKS.

    The lab keeps a copy of your files first; lab undo brings them back, one task at a time.
    """
    if to is not None and len(tasks) > 1:
        raise click.UsageError("A state is of one task: name one with --to.")
    place = here()
    entries = [task_named(place, said, "lab reset") for said in tasks or (None,)]
    with writing_snapshots(place) as snapshots:
        for entry in dict.fromkeys(entries):
            for line in _reset(place, entry, to, snapshots):
                click.echo(line)
    return ExitStatus.ALL_POINTS


def _reset(place: Place, entry: Entry, to: str | None, snapshots: Snapshots) -> list[str]:
    """Replace the files of one task; return what to say."""
    folder = place.folder(entry)
    if to is None:
        after, described = stubs.read(place.course, entry.name), "the stub"
    else:
        digest = snapshots.named(entry.name, to)
        after, described = snapshots.get(entry.name, digest), f"the state {short(digest)}"
    changed = after.differing(Snapshot.read(folder))
    if not changed:
        return [f"{entry.number} has the files of {described} already."]
    replaced = snapshots.replace(entry.name, folder, after)
    return [
        f"{entry.number} has the files of {described} now. Changed: {', '.join(changed)}.",
        f"Your files are kept as {short(replaced.before)}; lab undo brings them back.",
    ]
