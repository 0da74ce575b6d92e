"""`lab class apply`: takes a regrade for the run that it was made of."""

from __future__ import annotations

from pathlib import Path

import click

from ml_api_class import regrading
from ml_api_class.cli.options import run_argument
from ml_api_class.gradebook import write_csv
from ml_api_class.journal.journal import Journal
from ml_api_lab.cli.tasks import lab_command
from ml_api_lab.exit_status import ExitStatus


@lab_command("apply", "lab class apply run2")
@run_argument
def command(run: Path) -> int:
    """Accept all grades of the regrade RUN.

    The run that was graded again then has these grades; it keeps the old ones as well.
    """
    base = regrading.apply(run)
    with Journal(base) as journal:
        path = write_csv(base, list(journal.standings(in_sum=True)))
    click.echo(f"Applied. The grades before are kept in {base / regrading.BEFORE}.")
    click.echo(f"Grades: {path}")
    return ExitStatus.ALL_POINTS
