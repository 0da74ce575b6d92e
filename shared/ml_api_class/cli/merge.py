"""`lab class merge`: puts the shards of a class together."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import click

from ml_api_class import sharding
from ml_api_class.cli.grade import conclude
from ml_api_class.errors import ClassError
from ml_api_class.journal.journal import FILE, Journal
from ml_api_class.journal.lock import locked
from ml_api_lab.cli.tasks import lab_command


@lab_command("merge", "lab class merge run-1 run-2 run-3 --out run")
@click.argument("runs", nargs=-1, required=True, type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="A new folder for the whole class.",
)
def command(runs: tuple[Path, ...], out: Path) -> int:
    """Merge the RUNS of all shards into one run."""
    if (out / FILE).exists():
        raise ClassError(f"{out} holds a run already; name a new folder with --out.")
    out.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        stack.enter_context(locked(out))
        try:
            with Journal(out, can_create=True) as journal:
                number = sharding.merge(runs, journal)
        except BaseException:
            (out / FILE).unlink(missing_ok=True)
            raise
        click.echo(f"{number} submissions of {len(runs)} runs.")
        return conclude(out, stack.enter_context(Journal(out)))
