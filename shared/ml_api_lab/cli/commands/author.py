"""`lab author`: for who changes the checks.

It needs what a release leaves out: the proofs. They lie in the course's own `tests/proofs`, not in
this package, and run in a Python of their own, in the course's folder.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click

from ml_api_lab.cli.tasks import here, lab_command, lab_group
from ml_api_lab.course.place import Place
from ml_api_lab.errors import CourseError
from ml_api_lab.exit_status import ExitStatus

_MODULE = "tests.proofs.author"
_NEEDED = ("tests/proofs/author/__main__.py", "tests/proofs/corpus", "solutions")

_CHECK_EXAMPLES = (
    "lab author check 3.1",
    "lab author check 3.1 --mutants",
    "lab author check --mutants --write checks/proven.json",
)


@lab_group("author", *_CHECK_EXAMPLES[:2])
def command() -> None:
    """For authors: prove the checks that you have written."""


@lab_command("check", *_CHECK_EXAMPLES)
@click.argument("tasks", nargs=-1)
@click.option("--mutants", is_flag=True, help="Change the solution in many small ways, too: slow.")
@click.option(
    "--write",
    "target",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Keep the figures of each check in this file, for the page of a class.",
)
def check(tasks: tuple[str, ...], mutants: bool, target: Path | None) -> int:
    """Show what the checks of TASKS catch, and what to repair.

    It shows which check catches which mistake, what that costs, and which other checks fail;
    variants that lose points; junk that earns some; points, counts and names that do not agree.
    With --mutants, it also shows the changes of the solution that no check sees, each as an entry
    for the list of survivors.

    Without TASKS, it takes the task whose folder you are in, or all tasks. The exit status is 0 if
    there is nothing to repair, 1 if there is, and 4 if the command or the course is wrong.
    """
    place = here()
    _require_proofs(place)
    entries = [place.task(each) for each in tasks]
    if not entries and place.inside is not None:
        entries = [place.inside]
    words = [entry.number for entry in entries]
    words += ["--mutants"] if mutants else []
    words += ["--write", str(target.absolute())] if target is not None else []
    return _run(place.course, words)


command.add_command(check)


def _require_proofs(place: Place) -> None:
    """See that the course has its proofs.

    Raises:
        CourseError: it lacks some.
    """
    for name in _NEEDED:
        if not (place.course / name).exists():
            raise CourseError(
                f"The checks are proved with {name}, and {place.course} has none; give the command "
                "in a clone of the lab, which has its tests and solutions."
            )


def _run(course: Path, words: list[str]) -> int:
    """Run the proofs, to their end; return their exit status."""
    # The course first: so the proofs are its own, whatever else is called tests here.
    paths = [str(course), *filter(None, [os.environ.get("PYTHONPATH")])]
    process = subprocess.Popen(
        [sys.executable, "-m", _MODULE, *words],
        cwd=course,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
    )
    while True:
        try:
            status = process.wait()
        except KeyboardInterrupt:
            continue  # the proofs hear it too, and end their processes first
        return status if status >= 0 else ExitStatus.INTERRUPTED
