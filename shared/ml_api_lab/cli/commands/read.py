"""`lab read`: what to build in a task, in the terminal's pager."""

from __future__ import annotations

import click

from ml_api_lab.cli.tasks import here, lab_command, task_meant
from ml_api_lab.errors import CourseError
from ml_api_lab.exit_status import ExitStatus
from ml_api_lab.progress.readme_hints import without_hints


@lab_command("read", "lab read 3.2", "lab read")
@click.argument("task", required=False)
def command(task: str | None) -> int:
    """Read what to build in TASK, one screen at a time.

    It shows the task's README without its hints, which lab hint shows one at a time.
    """
    place = here()
    entry = task_meant(place, task)
    readme = place.course / "checks" / entry.name / "README.md"
    try:
        text = readme.read_text(encoding="utf-8")
    except OSError as error:
        raise CourseError(
            f"checks/{entry.name}/README.md cannot be read ({error.strerror}); bring it back from "
            "where you got the lab."
        ) from error
    page = without_hints(text, f"Hints, one at a time: lab hint {entry.number}\n")
    click.echo_via_pager(page.rstrip())
    return ExitStatus.ALL_POINTS
