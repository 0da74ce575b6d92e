"""`lab class export`: points for a platform's gradebook, programs for tools that compare them."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import click

from ml_api_class import gradebook
from ml_api_class.cli.options import run_argument
from ml_api_class.errors import ClassError
from ml_api_class.export import csv_text, gradebook_file, similarity
from ml_api_class.export.csv_text import SEPARATORS
from ml_api_class.export.similarity import Tool
from ml_api_class.journal.journal import Journal
from ml_api_class.journal.records import State
from ml_api_lab.cli.tasks import here, lab_command
from ml_api_lab.exit_status import ExitStatus

_FILE = "export.csv"
_FILLED = "-filled"
_MAX_TOLD = 10


def _number(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> Fraction | None:
    if value is None:
        return None
    try:
        number = Fraction(value.replace(",", "."))
    except (ValueError, ZeroDivisionError):
        number = Fraction(0)
    if number <= 0:
        raise click.BadParameter(f"{value!r} is no number of points; write --out-of 10.")
    return number


@lab_command(
    "export",
    "lab class export run --separator semicolon --decimal comma",
    "lab class export run --into canvas.csv --column 'Lab 1' --out-of 10",
    "lab class export run --for dolos --tasks 3.2",
)
@run_argument
@click.option(
    "--into",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The gradebook that Canvas, Moodle or Gradescope has exported; needs --column.",
)
@click.option("--column", help="The column to fill in that file; no other cell changes.")
@click.option("--out-of", callback=_number, metavar="POINTS", help="Scale the points to so many.")
@click.option(
    "--leave-out", multiple=True, metavar="ID", help="With --into: a student to leave out."
)
@click.option(
    "--separator",
    type=click.Choice(list(SEPARATORS)),
    help="What stands between cells; by default a comma, with --into that of the file.",
)
@click.option(
    "--decimal",
    type=click.Choice(["point", "comma"]),
    default="point",
    show_default=True,
    help="The decimal sign.",
)
@click.option(
    "--for",
    "tool",
    type=click.Choice(["jplag", "dolos"]),
    help="Write the programs of one task for this tool; needs --tasks.",
)
@click.option("--tasks", "said", metavar="TASK", help="With --for: which task, as in 3.2.")
@click.option(
    "--with-reference", is_flag=True, help="With --for: the tool ignores the solution's code too."
)
@click.option(
    "--to",
    "target",
    type=click.Path(path_type=Path),
    help=f"What to write; by default {_FILE} in the run's folder, or beside the file of --into.",
)
def command(
    run: Path,
    into: Path | None,
    column: str | None,
    out_of: Fraction | None,
    leave_out: tuple[str, ...],
    separator: str | None,
    decimal: str,
    tool: Tool | None,
    said: str | None,
    with_reference: bool,
    target: Path | None,
) -> int:
    """Export points to a gradebook, or programs to a tool.

    Without options, it writes the points of RUN as CSV. --into fills a column of a platform's own
    file. --for writes the programs of one task for a tool that compares them.
    """
    if (into is None) != (column is None):
        raise ClassError("--into and --column go together: --into FILE --column NAME.")
    if (tool is None) != (said is None):
        raise ClassError("--for and --tasks go together: --for dolos --tasks 3.2.")
    if into is not None and tool is not None:
        raise ClassError("--into and --for are two exports; run the command twice.")
    mark = "," if decimal == "comma" else "."
    between = None if separator is None else SEPARATORS[separator]
    with Journal(run) as journal:
        if tool is not None and said is not None:
            _lay_out(journal, tool, said, target, run, with_reference=with_reference)
        elif into is not None and column is not None:
            _fill(journal, into, column, out_of, mark, between, leave_out, target)
        else:
            path = run / _FILE if target is None else target
            gradebook.write_table(
                path,
                list(journal.standings()),
                separator=between or ",",
                decimal=mark,
                out_of=out_of,
            )
            click.echo(f"Grades: {path}")
    return ExitStatus.ALL_POINTS


def _fill(
    journal: Journal,
    into: Path,
    column: str,
    out_of: Fraction | None,
    decimal: str,
    separator: str | None,
    leave_out: tuple[str, ...],
    target: Path | None,
) -> None:
    path = into.with_name(f"{into.stem}{_FILLED}{into.suffix}") if target is None else target
    text = csv_text.decode(into.read_bytes(), str(into))
    table = csv_text.read(text, str(into), separator)
    standings = list(journal.standings())
    filled = gradebook_file.fill(
        table, standings, column, out_of=out_of, decimal=decimal, left_out=leave_out
    )
    draft = path.with_name(f".{path.name}.new")
    draft.write_bytes(filled.text.encode())
    os.replace(draft, path)
    click.echo(f"{filled.filled} cells are filled in {path}; the rest of it is as it was.")
    _tell("Their cells are as they were", filled.without_submission)
    waiting = [each.submission.id for each in standings if each.state != State.GRADED]
    _tell("Not graded", waiting)


def _tell(what: str, names: list[str] | tuple[str, ...]) -> None:
    if names:
        more = f" and {len(names) - _MAX_TOLD} more" if len(names) > _MAX_TOLD else ""
        click.echo(f"{what}: {', '.join(names[:_MAX_TOLD])}{more}.")


def _lay_out(
    journal: Journal, tool: Tool, said: str, target: Path | None, run: Path, *, with_reference: bool
) -> None:
    place = here()
    entry = place.task(said)
    folder = run / f"{tool}-{entry.name}" if target is None else target
    done = similarity.lay_out(
        tool,
        place.course,
        entry.name,
        journal.submissions(),
        journal.packed,
        folder,
        with_reference=with_reference,
    )
    click.echo(
        f"{done.number} submissions of {entry.number} are in {folder}; {done.untouched} more are "
        "as they were handed out."
    )
    click.echo(f"Run: {done.command}")
