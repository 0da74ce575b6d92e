"""`lab doctor`: what the lab needs and has here, a sentence each, and a command if one helps."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

import ml_api_lab
from ml_api_lab.cli.tasks import here, lab_command
from ml_api_lab.course.place import Place
from ml_api_lab.errors import CourseError
from ml_api_lab.exit_status import ExitStatus
from ml_api_lab.progress import folder as lab
from ml_api_lab.sandbox.hosts import isolation
from ml_api_lab.session import preflight

_OLDEST_PYTHON = (3, 11)


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        command: what to run to repair it, or to see more; "" for nothing.
        is_needed: whether the lab does not work as it is.
    """

    sentence: str
    command: str = ""
    is_needed: bool = False


@lab_command("doctor", "lab doctor")
def command() -> int:
    """Say what is installed here, and what is missing.

    It looks at Python, the packages, isolation and Docker.
    """
    findings = list(_look(here()))
    for each in findings:
        click.echo(f"{'!!' if each.is_needed else 'ok'}  {each.sentence}")
        if each.command:
            click.echo(f"    {each.command}")
    wrong = any(each.is_needed for each in findings)
    return ExitStatus.USAGE_ERROR if wrong else ExitStatus.ALL_POINTS


def _look(place: Place) -> Iterator[Finding]:
    yield _python()
    yield _packages(place)
    yield _pytest()
    yield _course(place)
    yield _memory(place)
    yield _processes()
    yield _isolation(place)
    yield _docker()


def _python() -> Finding:
    version = platform.python_version()
    if sys.version_info < _OLDEST_PYTHON:
        return Finding(
            f"Python {version} is too old; the lab needs 3.11 or later.",
            "python3.11 -m venv .venv",
            is_needed=True,
        )
    where = "in an environment of its own" if sys.prefix != sys.base_prefix else "outside a venv"
    return Finding(f"Python {version} at {sys.executable}, {where}.")


def _packages(place: Place) -> Finding:
    if missing := preflight.missing(place.course):
        install = f'"{sys.executable}" -m pip install -e "{place.course}"'
        return Finding(f"Packages are missing: {', '.join(missing)}.", install, is_needed=True)
    return Finding("All packages that the lab depends on are installed.")


def _pytest() -> Finding:
    found = shutil.which("pytest")
    own = Path(sys.executable).parent
    if found is None or Path(found).parent != own:
        which = "No pytest is" if found is None else f"The pytest at {found} is another one, and is"
        activate = own / "activate"
        return Finding(
            f"{which} first on your PATH; this environment is not activated, which lab does not "
            "need and pytest does.",
            f'"{activate}"' if os.name == "nt" else f". {activate}",
        )
    return Finding(f"pytest at {found} is that of this environment.")


def _course(place: Place) -> Finding:
    package = Path(ml_api_lab.__path__[0]).resolve()
    if package.is_relative_to(place.course):
        return Finding(f"The course is {place.course}.")
    return Finding(
        f"The course is {place.course}, and the lab that runs here belongs to {package.parent}.",
        f'"{sys.executable}" -m pip install -e "{place.course}"',
    )


def _memory(place: Place) -> Finding:
    folder = lab.lab_folder(place.course)
    try:
        probe = lab.make(folder) / "probe"
        lab.write(folder, probe, b"")
        probe.unlink()
    except OSError as error:
        return Finding(
            f"{folder} cannot be written ({error.strerror}): grades are shown, but lab remembers "
            "nothing, and lab reset does not work."
        )
    return Finding(f"Your grades and your graded files are kept in {folder}.", "lab history")


def _processes() -> Finding:
    from ml_api_lab.sandbox.hosts.pools_of_a_run import can_fork

    if can_fork():
        return Finding("Each check runs in a fork of a process that has FastAPI loaded.")
    return Finding("Each check starts Python anew, since this system cannot fork; it takes longer.")


def _isolation(place: Place) -> Finding:
    chosen = isolation.choose("auto", place.course)
    if chosen.tier == "none":
        return Finding(
            "Isolation: none. Grade only your own code here, or code that you trust; "
            "docs/threats.md says what each tier stops."
        )
    return Finding(" ".join([f"Isolation: {chosen.tier}.", *chosen.notes]))


def _docker() -> Finding:
    try:
        # Late: where packages are missing, that is to be told before it is met here.
        from ml_api_lab.images.engine import Engine

        engine = Engine()
    except ImportError as error:
        return Finding(f"Docker was not looked for, since the lab cannot be loaded ({error}).")
    except CourseError:
        return Finding(
            "Docker: no engine runs here. Only --docker needs one; 5.1 is graded without it.",
            "docker version",
        )
    said = engine.call("version", "--format", "{{.Server.Platform.Name}} {{.Server.Version}}")
    return Finding(
        f"The Docker engine {' '.join(said.stdout.split())} runs, for task 5.1.",
        "pytest checks/task_5_1 --docker",
    )
