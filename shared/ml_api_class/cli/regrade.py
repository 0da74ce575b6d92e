"""`lab class regrade`: what a changed check, course or lab changes in the grades of a run."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import click

from ml_api_class import regrading
from ml_api_class.cli.course import chosen_isolation, kept_tasks, open_course
from ml_api_class.cli.grade import grade
from ml_api_class.cli.options import grading_options, run_argument
from ml_api_class.engines.local import Limits
from ml_api_class.gradebook import write_csv
from ml_api_class.journal.journal import Journal
from ml_api_class.journal.lock import locked
from ml_api_class.regrading import Change
from ml_api_lab.cli.tasks import here, lab_command
from ml_api_lab.exit_status import ExitStatus
from ml_api_lab.sandbox.hosts.isolation import Wanted
from ml_api_lab.session import signals

_MOST_TOLD = 30


@lab_command("regrade", "lab class regrade run --out run2")
@run_argument
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="The folder for the new grades; lab class apply or discard takes it.",
)
@grading_options
def command(
    run: Path,
    out: Path,
    wanted: Wanted,
    engine_name: str,
    workers: int,
    time_limit: float,
    memory: int,
) -> int:
    """Grade RUN again after the course or the lab has changed.

    The new grades go into a folder of their own, and RUN does not change. Only what has changed is
    graded: after a change in one check, its task. The submissions are those that RUN has kept.
    """
    place = here()
    regrading.begin(run, out)
    with ExitStack() as stack:
        stack.callback(signals.restore)
        signals.hear()
        chosen = chosen_isolation(wanted, place.course)
        stack.enter_context(locked(out))
        journal = stack.enter_context(Journal(out))
        seed = int(journal.setting("seed") or 0)
        course = open_course(place, kept_tasks(journal, place), chosen, seed, memory)
        try:
            grade(journal, course, engine_name, workers, Limits(time_limit))
        except KeyboardInterrupt:
            signals.ignore()
            click.echo("Interrupted; what is graded is kept. The same command goes on from here.")
            return ExitStatus.INTERRUPTED
        before = stack.enter_context(Journal(run))
        found = regrading.changes(before, journal)
        write_csv(out, list(journal.standings(in_sum=True)))
        page = out / regrading.CHANGES
        page.write_text(regrading.to_markdown(found), encoding="utf-8")
    _tell(found)
    click.echo(f"The changes, with old and new cards: {page}")
    click.echo(f"To accept them: lab class apply {out}. To delete them: lab class discard {out}.")
    return ExitStatus.ALL_POINTS


def _tell(found: Sequence[Change]) -> None:
    up = [each for each in found if each.difference > 0]
    down = [each for each in found if each.difference < 0]
    for each in found[:_MOST_TOLD]:
        click.echo(f"{each.difference:+4}  {each.now.submission.id}")
    if len(found) > _MOST_TOLD:
        click.echo(f"  ... and {len(found) - _MOST_TOLD} more")
    others = len(found) - len(up) - len(down)
    click.echo(f"{len(up)} go up, {len(down)} go down, {others} change and keep their points.")
