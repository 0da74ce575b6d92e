"""The pytest plugin: it gives checks their `task` and `clock`, and the run its grade.

It sleeps unless pytest's root folder is a course (has a `checks/syllabus.toml`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from ml_api_lab.course import syllabus
from ml_api_lab.errors import CourseError, WrongEnvironment
from ml_api_lab.runner import SCIKIT_LEARN, Stage

if TYPE_CHECKING:
    from ml_api_lab.sandbox.clock import Clock
    from ml_api_lab.session.session import Lab
    from ml_api_lab.task import Task

BUDGET = 20.0


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    config: pytest.Config | None = pluginmanager.get_plugin("pytestconfig")
    if config is not None:
        _start_early(config)
    group = parser.getgroup("lab", "the lab")
    group.addoption(
        "--tree",
        metavar="TREE",
        help="what to grade: exercises (the default), solutions, or a path (also: LAB_TREE)",
    )
    group.addoption(
        "--clock",
        choices=("lab", "real"),
        default="lab",
        help="lab: exact and fast (the default); real: the same checks on the wall clock",
    )
    group.addoption(
        "--seed", type=int, metavar="N", help="repeat a run's random choices (see its header)"
    )
    group.addoption(
        "--budget",
        type=_seconds,
        default=BUDGET,
        metavar="SECONDS",
        help="real time that a check may take before it is ended (default: %(default)g)",
    )
    group.addoption(
        "--report",
        action="append",
        default=[],
        metavar="FORMAT=FILE",
        help="write the grade to a file; FORMAT is json, junit, markdown, gradescope, classroom50 "
        "or prairielearn (repeatable)",
    )
    group.addoption(
        "--docker",
        action="store_true",
        help="build and run container images with the real engine (default: lay their files out)",
    )


def _seconds(text: str) -> float:
    import argparse

    try:
        number = float(text)
    except ValueError:
        number = 0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no number of seconds above 0, as in --budget=20"
        )
    return number


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "on_the_wall_clock: the check talks to a real process, in real time"
    )
    config.addinivalue_line(
        "markers", "scikit_learn: the submission's process has scikit-learn loaded beforehand"
    )
    if (config.rootpath / "checks" / "syllabus.toml").is_file():
        # Late, so that the first process is on its way before all of this is loaded.
        from ml_api_lab.grading import reports
        from ml_api_lab.session import preflight, signals
        from ml_api_lab.session.schedule import Turns
        from ml_api_lab.session.session import Lab, runs_nothing

        stage = config.stash.setdefault(_STAGE, Stage())
        config.add_cleanup(stage.close)
        if not runs_nothing(config):
            reports.delete_old_reports(config.getoption("report"))
        try:
            preflight.require(config.rootpath)
            if config.getoption("docker"):
                from ml_api_lab.images.engine import Engine

                stage.engine = Engine()
            lab = Lab(config, stage)
            turns = Turns(lab)
        except (CourseError, WrongEnvironment) as error:
            from ml_api_lab.sanitize import sanitize

            raise pytest.UsageError(sanitize(str(error))) from error
        config.add_cleanup(turns.end)
        config.pluginmanager.register(lab, "lab-run")
        config.pluginmanager.register(turns, "lab-turns")
        config.stash[_LAB] = lab
        signals.hear(config.add_cleanup)
    elif config.getoption("tree") or config.getoption("report"):
        raise pytest.UsageError(
            f"--tree and --report are for a course, and {config.rootpath} has no "
            "checks/syllabus.toml; run pytest in the folder that has it."
        )


def _start_early(config: pytest.Config) -> None:
    """Start the processes that the run will need, while pytest itself still starts.

    A guess by the look of the command line: where it is wrong, a process has started in vain.
    """
    asked = " ".join([*config.invocation_params.args, str(config.invocation_params.dir)])
    if any(word in asked for word in ("tests", "--help", "--co", "--version", "--clock")):
        return
    try:
        tasks = syllabus.read(config.rootpath / "checks" / "syllabus.toml").tasks
    except CourseError:
        return  # told when the run is configured
    stage = config.stash.setdefault(_STAGE, Stage())
    named = [entry for entry in tasks if entry.name in asked] or tasks
    for entry in named:
        stage.hosts("lab", entry.preload)
    if "scikit_learn" in asked:
        return  # as in -m "not scikit_learn"
    for entry in named:
        files = (config.rootpath / "checks" / entry.name).glob("test_*.py")
        if any(b"\n@scikit_learn" in file.read_bytes() for file in files):
            stage.hosts("lab", entry.preload + SCIKIT_LEARN)


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> Mapping[str, Any]:
    import asyncio

    lab = config.stash.get(_LAB, None)
    if lab is None or lab.check_of(item) is None:
        return {"asyncio": asyncio.new_event_loop}
    from ml_api_lab.sandbox.clock import new_loop

    name = lab.clock_of(item)
    return {name: lambda: new_loop(name, config.getoption("budget"))}


@pytest.fixture
async def clock() -> Clock:
    """The check's clock: `now`, `elapsed`, `restart`."""
    import asyncio

    found: Clock = asyncio.get_running_loop().clock  # type: ignore[attr-defined]
    return found


@pytest.fixture
async def task(request: pytest.FixtureRequest, clock: Clock) -> AsyncIterator[Task]:
    """A workspace of the task's folder, ready to be put to work."""
    lab = request.config.stash[_LAB]
    handle = lab.handle(request.node, clock)
    yield handle
    handle.close()


_LAB: pytest.StashKey[Lab] = pytest.StashKey()
_STAGE = pytest.StashKey[Stage]()
