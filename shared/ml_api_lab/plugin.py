"""The pytest plugin: it gives checks their `task` and `clock`, and the run its grade.

It sleeps unless pytest's root folder is a course (has a `checks/syllabus.toml`).

Little is imported here: the first processes start as soon as pytest has read the command line, and
the rest of the harness is loaded while they are on their way, before any check runs.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if sys.version_info < (3, 11):  # noqa: UP036 - pytest itself may run on an older one
    raise pytest.UsageError(
        "The lab needs Python 3.11 or later, and this pytest runs on Python "
        f"{sys.version_info[0]}.{sys.version_info[1]} ({sys.executable}); set the lab up again "
        "with a newer Python, in a new environment."
    )

from ml_api_lab.course import syllabus
from ml_api_lab.course.syllabus import Syllabus
from ml_api_lab.course.tree import TREES, Tree, choose, wanted
from ml_api_lab.errors import CourseError, LabError
from ml_api_lab.sandbox.hosts import isolation
from ml_api_lab.sandbox.hosts.isolation import Isolation, NotIsolated
from ml_api_lab.sandbox.hosts.pools_of_a_run import HostPools, modules_of, wants_scikit_learn
from ml_api_lab.sanitize import sanitize
from ml_api_lab.session import preflight, signals, streams
from ml_api_lab.session.options import add_options

if TYPE_CHECKING:
    from ml_api_lab.sandbox.clock import Clock
    from ml_api_lab.session.session import Session
    from ml_api_lab.task import Task

_SESSION: pytest.StashKey[Session] = pytest.StashKey()
_POOLS = pytest.StashKey[HostPools]()
_ISOLATION = pytest.StashKey[Isolation]()
_REFUSAL = pytest.StashKey[NotIsolated]()
_SYLLABUS = pytest.StashKey[Syllabus]()
_IS_SHORT = pytest.StashKey[bool]()
"""Whether a grade is shown without pytest's header, which would take a third of a screen."""


def pytest_addoption(parser: pytest.Parser) -> None:
    # This is the first of pytest's calls; after it pytest captures what the streams are given.
    streams.open_closed()
    streams.outlive_readers()
    add_options(parser.getgroup("lab", "the lab"))


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Start the processes that the checks of the command line will need; load the rest."""
    _start_processes(early_config)
    # pytest-asyncio brings asyncio, which takes a tenth of the time until here: a course blocks it
    # (`-p no:asyncio`), and gets it now.
    if not early_config.pluginmanager.hasplugin("asyncio"):
        early_config.pluginmanager.import_plugin("pytest_asyncio.plugin")


def _start_processes(early_config: pytest.Config) -> None:
    # First, so that it is done last: no signal comes between the end of a run and its processes'.
    early_config.add_cleanup(signals.restore)
    course, options = early_config.rootpath, early_config.known_args_namespace
    if any(map(vars(options).get, ("collectonly", "showfixtures", "help", "version", "markers"))):
        return
    try:
        early_config.stash[_SYLLABUS] = read = syllabus.read(course / "checks" / "syllabus.toml")
    except CourseError:
        return  # told when the run is configured, if it is a course's
    try:
        chosen = isolation.choose(options.isolation, course, debugging=_debugging(options))
    except isolation.NotIsolated as error:
        early_config.stash[_REFUSAL] = error  # told when the run is configured, as all else is
        return
    early_config.stash[_ISOLATION] = chosen
    early_config.stash[_POOLS] = pools = HostPools(chosen.confinement)
    early_config.add_cleanup(pools.close)
    here = early_config.invocation_params.dir
    folders = [here / each.split("::")[0] for each in options.file_or_dir] or [here]
    asked = [entry for entry in read.tasks if _may_grade(course, folders, entry.name)]
    early_config.stash[_IS_SHORT] = bool(asked) and not options.verbose
    graded = _graded_tree(options, course, folders, read.names)
    # Those that serve others as well come first.
    for entry in sorted(asked, key=lambda entry: -len(entry.preload)):
        files = (course / "checks" / entry.name).glob("test_*.py")
        checks = b"".join(file.read_bytes() for file in files)
        if options.debugger is not None:
            continue  # which changes the clock, and looks at one check after another
        pools.get(options.clock, modules_of(entry))
        if b"\n@on_the_wall_clock" in checks:
            pools.get("real", modules_of(entry))
        if b"\n@scikit_learn" not in checks or graded is None:
            continue
        if wants_scikit_learn(graded.folder(entry.name), is_asked=True):
            pools.get(options.clock, modules_of(entry, science=True))


def _graded_tree(
    options: argparse.Namespace, course: Path, folders: list[Path], tasks: list[str]
) -> Tree | None:
    """Return the tree that is going to be graded, None if that is an error, which is told later."""
    places = [
        place for folder in folders for place in (folder.resolve(), *folder.resolve().parents)
    ]
    here = next((name for name in TREES if course / name in places), None)
    try:
        return choose(wanted(options.tree, os.environ, here), course, tasks)
    except CourseError:
        return None


def _debugging(options: argparse.Namespace) -> str:
    """Return what a debugger needs that isolation forbids, "" if there is none."""
    if options.debugger is not None:
        return "a debugger must be able to attach to the submission (--debugger)"
    if options.capture == "no" and sys.stdin.isatty():
        return "a breakpoint needs the terminal (-s)"
    return ""


def _may_grade(course: Path, folders: list[Path], task: str) -> bool:
    """Whether one of the folders that pytest is to look through is or holds that task's checks."""
    places = [course / tree / task for tree in ("checks", "exercises", "solutions")]
    asked = [Path(course.anchor, folder).resolve() for folder in folders]
    return any(
        place == folder or place in folder.parents or folder in places[0].parents
        for place in places
        for folder in asked
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "on_the_wall_clock: the check talks to a real process, in real time"
    )
    config.addinivalue_line(
        "markers", "scikit_learn: the submission's process has scikit-learn loaded beforehand"
    )
    if (config.rootpath / "checks" / "syllabus.toml").is_file():
        try:
            _configure(config)
        except LabError as error:
            raise pytest.UsageError(sanitize(str(error))) from error
    elif config.getoption("tree") or config.getoption("report"):
        raise pytest.UsageError(
            f"--tree and --report are for a course, and {config.rootpath} has no "
            "checks/syllabus.toml; run pytest in the folder that has it."
        )


def _configure(config: pytest.Config) -> None:
    """Open the session of a course.

    Raises:
        LabError: the command, the course or the environment is wrong.
    """
    preflight.require_dependencies(config.rootpath)
    # Late, so that the first processes are on their way before all of this is loaded.
    from ml_api_lab.session import hooks
    from ml_api_lab.session.session import open_session

    hooks.delete_old_reports(config)
    preflight.require_assertions()
    preflight.require_loopback()
    if (refusal := config.stash.get(_REFUSAL, None)) is not None:
        raise refusal
    read = config.stash.get(_SYLLABUS, None)
    if read is None:
        read = syllabus.read(config.rootpath / "checks" / "syllabus.toml")
    pools = config.stash.setdefault(_POOLS, HostPools())
    session = open_session(config, read, pools, config.stash.get(_ISOLATION, Isolation()))
    config.add_cleanup(session.runner.close)
    config.option.no_header |= config.stash.get(_IS_SHORT, False)
    hooks.register(session)
    config.stash[_SESSION] = session
    signals.hear()


@pytest.hookimpl(optionalhook=True)  # pytest-asyncio is not loaded when hooks are looked over
def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> Mapping[str, Any]:
    import asyncio

    session = config.stash.get(_SESSION, None)
    check = None if session is None else session.check_of(item)
    if session is None or check is None:
        return {"asyncio": asyncio.new_event_loop}
    return session.loop_factory(check)


@pytest.fixture
async def clock() -> Clock:
    """The check's clock: `now`, `elapsed`, `restart`."""
    import asyncio

    found: Clock = asyncio.get_running_loop().clock  # type: ignore[attr-defined]  # the lab's loop
    return found


@pytest.fixture
async def task(request: pytest.FixtureRequest, clock: Clock) -> AsyncIterator[Task]:
    """The handle of the task: a workspace with a copy of its folder, ready to be put to work."""
    handle = request.config.stash[_SESSION].handle(request.node, clock)
    yield handle
    handle.close()
