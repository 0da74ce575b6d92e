"""`lab hint`: a task's hints, one at a time."""

from __future__ import annotations

import click

from ml_api_lab.cli.tasks import here, history_of, lab_command, task_meant
from ml_api_lab.errors import CourseError
from ml_api_lab.exit_status import ExitStatus
from ml_api_lab.progress.readme_hints import next_hint


@lab_command("hint", "lab hint 3.2", "lab hint 3.2 --number 1")
@click.argument("task", required=False)
@click.option("--number", type=click.IntRange(min=1), help="Show this hint again.")
def command(task: str | None, number: int | None) -> int:
    """Show the next hint of TASK.

    The hints of its README come first, then the hint of the first check that failed when it was
    last graded. None of them is the answer.
    """
    place = here()
    entry = task_meant(place, task)
    found = next_hint(place.course, history_of(place), entry.name, number)
    if found is None:
        few = "no hints" if number is None else f"fewer than {number} hints"
        raise CourseError(f"Task {entry.number} has {few}.")
    has_next = number is None and not found.is_last
    more = f"; for the next: lab hint {entry.number}" if has_next else ""
    click.echo(f"{found.text}\n\n({found.label}{more})")
    return ExitStatus.ALL_POINTS
