"""`lab class page`: a run as one page, for the instructor."""

from __future__ import annotations

from pathlib import Path

import click

from ml_api_class.cli.options import run_argument
from ml_api_class.journal.journal import Journal
from ml_api_class.page import assembly, proven
from ml_api_lab.cli.tasks import here, lab_command
from ml_api_lab.exit_status import ExitStatus


@lab_command(
    "page",
    "lab class page run",
    "lab class page run --to monday.html",
    "lab class page run --proven proven.json",
)
@run_argument
@click.option(
    "--to",
    "target",
    type=click.Path(dir_okay=False, path_type=Path),
    help=f"The file to write; by default, {assembly.FILE} in the run's folder.",
)
@click.option(
    "--proven",
    "proven_in",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The file that lab author check --write made; by default, "
    f"{proven.FILE} if the course has it.",
)
def command(run: Path, target: Path | None, proven_in: Path | None) -> int:
    """Write RUN as one HTML page for the instructor.

    It shows the points, the mistakes and who made them, and statistics of the checks.
    """
    place = here()
    with Journal(run) as journal:
        path = run / assembly.FILE if target is None else target
        assembly.write(journal, place, path, proven_in)
    click.echo(f"The page, with names and code of students: {path}")
    return ExitStatus.ALL_POINTS
