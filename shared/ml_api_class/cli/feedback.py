"""`lab class feedback`: a file for each student, in the layout that the platform takes back."""

from __future__ import annotations

from pathlib import Path

import click

from ml_api_class.cli.options import run_argument
from ml_api_class.feedback import writing
from ml_api_class.feedback.layouts import Layout
from ml_api_class.journal.journal import Journal
from ml_api_lab.cli.tasks import here, lab_command
from ml_api_lab.exit_status import ExitStatus

_FOLDER = "feedback"


@lab_command(
    "feedback",
    "lab class feedback run",
    "lab class feedback run --format md --only s1001 --only s1002",
)
@run_argument
@click.option(
    "--to",
    "target",
    type=click.Path(file_okay=False, path_type=Path),
    help=f"The folder to write; by default, {_FOLDER} in the run's folder.",
)
@click.option(
    "--format",
    "formats",
    type=click.Choice(["html", "md"]),
    multiple=True,
    default=["html"],
    show_default=True,
    help="May be given twice.",
)
@click.option(
    "--layout",
    type=click.Choice(["plain", "moodle", "canvas"]),
    help="How the files are named: plain is ID.html, the others are what the platform takes back; "
    "by default, what the graded download needs.",
)
@click.option("--anonymous", is_flag=True, help="Write pseudonyms in place of names and ids.")
@click.option("--only", multiple=True, help="The id of one student; may be given several times.")
def command(
    run: Path,
    target: Path | None,
    formats: tuple[str, ...],
    layout: Layout | None,
    anonymous: bool,
    only: tuple[str, ...],
) -> int:
    """Write a page of feedback for each student of RUN.

    It shows the points, and one card for each reason why points are missing.
    """
    place = here()
    target = run / _FOLDER if target is None else target
    with Journal(run) as journal:
        written = writing.write(
            journal,
            place,
            target,
            formats=formats,
            layout=layout,
            anonymous=anonymous,
            only=only,
        )
    click.echo(f"{written.files} files in {target}, layout {written.layout}.")
    if written.archive is not None:
        click.echo(f"To upload: {written.archive}")
    if written.left_out:
        click.echo(f"No feedback for {', '.join(written.left_out)}: not from the platform.")
    if anonymous:
        click.echo(f"Who is who: {run / writing.PSEUDONYMS}; give that file to nobody.")
    return ExitStatus.ALL_POINTS
