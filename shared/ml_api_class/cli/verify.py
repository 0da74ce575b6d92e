"""`lab class verify`: grades a sample of a run again without the cache, and compares."""

from __future__ import annotations

import random
from contextlib import ExitStack
from pathlib import Path

import click

from ml_api_class import verification
from ml_api_class.cli.course import chosen_isolation, kept_tasks, open_course
from ml_api_class.cli.engines import open_engine
from ml_api_class.cli.options import grading_options, run_argument
from ml_api_class.engines.local import Limits
from ml_api_class.errors import ClassError
from ml_api_class.journal.journal import Journal
from ml_api_lab.cli.tasks import here, lab_command
from ml_api_lab.exit_status import ExitStatus
from ml_api_lab.sandbox.hosts.isolation import Wanted
from ml_api_lab.session import signals


def _share(context: click.Context, parameter: click.Parameter, value: str) -> float:
    try:
        share = float(value.removesuffix("%")) / (100 if value.endswith("%") else 1)
    except ValueError:
        share = 0
    if not 0 < share <= 1:
        raise click.BadParameter(f"{value!r} is no share; write --share 5%.")
    return share


@lab_command("verify", "lab class verify run", "lab class verify run --share 20%")
@run_argument
@click.option(
    "--share", callback=_share, default="5%", show_default=True, help="Size of the sample."
)
@grading_options
def command(
    run: Path,
    share: float,
    wanted: Wanted,
    engine_name: str,
    workers: int,
    time_limit: float,
    memory: int,
) -> int:
    """Grade a random sample of RUN again, and compare.

    It uses no cache, and compares the points of each check.
    """
    place = here()
    with ExitStack() as stack:
        stack.callback(signals.restore)
        signals.hear()
        journal = stack.enter_context(Journal(run))
        seed = journal.setting("seed")
        if seed is None:
            raise ClassError(f"{run} was not graded yet; run lab class grade first.")
        chosen = chosen_isolation(wanted, place.course)
        course = open_course(place, kept_tasks(journal, place), chosen, int(seed), memory)
        verification.require_same(journal, course.origins)
        standings = verification.sample(journal, share, random.SystemRandom())
        engine = open_engine(engine_name, course.settings, workers, Limits(time_limit))
        stack.callback(engine.close)
        differences = verification.verify(journal, engine, standings)
    for each in differences:
        for sentence in each.told:
            click.echo(f"{each.submission}: {sentence}")
    click.echo(f"{len(standings)} graded again, {len(differences)} with other results.")
    return ExitStatus.HARNESS_FAILED if differences else ExitStatus.ALL_POINTS
