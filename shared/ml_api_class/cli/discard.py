"""`lab class discard`: removes a regrade; the run that it was made of stays as it is."""

from __future__ import annotations

from pathlib import Path

import click

from ml_api_class import regrading
from ml_api_class.cli.options import run_argument
from ml_api_lab.cli.tasks import lab_command
from ml_api_lab.exit_status import ExitStatus


@lab_command("discard", "lab class discard run2")
@run_argument
def command(run: Path) -> int:
    """Delete the regrade RUN, with its grades."""
    regrading.discard(run)
    click.echo(f"{run} is removed; the run that it was made of is as it was.")
    return ExitStatus.ALL_POINTS
