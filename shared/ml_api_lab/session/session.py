"""The session: the facts of one run of pytest on a course, and which check a test is."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import random
import socket
import sys
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ml_api_lab.course import stubs, tree
from ml_api_lab.course.catalog import Catalog, Check
from ml_api_lab.course.syllabus import Syllabus
from ml_api_lab.course.tree import Tree
from ml_api_lab.errors import CourseError
from ml_api_lab.grading import reports
from ml_api_lab.grading.grade import Grade
from ml_api_lab.grading.reports import Report
from ml_api_lab.protocol.messages import ClockName
from ml_api_lab.sandbox.clock import Clock, new_loop
from ml_api_lab.sandbox.debugger import Debugger
from ml_api_lab.sandbox.hosts.isolation import Isolation
from ml_api_lab.sandbox.hosts.pools_of_a_run import HostPools
from ml_api_lab.session.selection import Selection
from ml_api_lab.task import Task
from ml_api_lab.trials import trusted
from ml_api_lab.trials.task_runner import TaskRunner
from ml_api_lab.trials.trial import Trial, draw

_CHECK = pytest.StashKey[Check | None]()
_DEBUGGING_SECONDS = 24 * 60 * 60.0
HANDLE = pytest.StashKey[Task]()
"""The handle of the task that a check of pytest's own was given."""


@dataclass(frozen=True, kw_only=True)
class Session:
    """One run.

    Attributes:
        course: the root of the course.
        clock: "lab" or "real", as it was asked for.
        budget: the real time that a check may take, in seconds.
        isolation: how far the submission's processes are confined.
        reports: the files that the grade is to be written to.
        digests: the digests of what is graded, by task, where it is a student's own.
    """

    config: pytest.Config
    course: Path
    syllabus: Syllabus
    catalog: Catalog
    tree: Tree
    clock: ClockName
    seed: int
    budget: float
    isolation: Isolation
    reports: list[Report]
    grade: Grade
    runner: TaskRunner
    digests: dict[str, str] = field(default_factory=dict)

    @property
    def grades(self) -> bool:
        """Whether checks run and there is a grade."""
        return runs_checks(self.config)

    def is_of_course(self, item: pytest.Item) -> bool:
        """Whether a test lies where checks are."""
        return item.path.is_relative_to(self.course / "checks")

    def check_of(self, item: pytest.Item) -> Check | None:
        """Return the check that this test is, None if it is none."""
        if _CHECK not in item.stash:
            found = None
            if self.is_of_course(item):
                file = item.path.relative_to(self.course).as_posix()
                found = self.catalog.get(f"{file}::{getattr(item, 'originalname', item.name)}")
            item.stash[_CHECK] = found
        return item.stash[_CHECK]

    def is_untouched(self, task: str) -> bool:
        """Whether the task's files are still those that were handed out."""
        return stubs.is_untouched(self.course, task, self.tree.folder(task))

    def clock_of(self, check: Check) -> ClockName:
        return "real" if check.on_the_wall_clock else self.clock

    def loop_factory(self, check: Check) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
        """Return what makes the event loop of a check that pytest runs itself, by its name."""
        clock = self.clock_of(check)
        return {clock: lambda: new_loop(clock, self.budget)}

    def trial_of(self, item: pytest.Function, check: Check) -> Trial:
        """Return what pytest would do with a check, as a trial."""
        return Trial(
            check=check,
            function=item.function,
            entry=self.syllabus.entry(check.task),
            tree=self.tree,
            seed=self.seed,
            clock=self.clock_of(check),
            budget=self.budget,
        )

    def handle(self, item: pytest.Item, clock: Clock) -> Task:
        """Return the handle of a check that pytest runs itself.

        Raises:
            CourseError: the test is no check.
        """
        check = self.check_of(item)
        if check is None:
            raise CourseError(f"{item.nodeid} is no check, so it has no task.")
        item.stash[HANDLE] = handle = self.runner.task(
            self.syllabus.entry(check.task),
            self.tree,
            clock,
            draw(self.seed, item.nodeid),
            terminal=self.terminal,
            science=check.needs_scikit_learn,
        )
        return handle

    @property
    def terminal(self) -> str | None:
        """The terminal's name, if pytest leaves it to the submission's debugger (`-s`)."""
        if self.isolation.tier != "none":  # which lets no submission read from it
            return None
        if self.config.getoption("capture") != "no" or not sys.stdin.isatty():
            return None
        if os.name == "nt":
            return "CON"
        try:
            return os.ttyname(0)
        except OSError:
            return None


def runs_checks(config: pytest.Config) -> bool:
    """Whether checks run; else it is only asked what there is."""
    asked = ("collectonly", "showfixtures", "show_fixtures_per_test")
    return not any(map(config.getoption, asked))


def open_session(
    config: pytest.Config, syllabus: Syllabus, pools: HostPools, isolation: Isolation
) -> Session:
    """Return the session that the command line and the environment ask for.

    Args:
        pools: the processes that have been started for it.
        isolation: how far they are confined.

    Raises:
        CourseError: they ask for what there is not, or the course's files are wrong.
    """
    course = config.rootpath
    catalog = Catalog(course, syllabus)
    selection = Selection(config, syllabus.names)
    selection.refuse_workers()
    here = selection.tree()
    wanted = tree.wanted(config.getoption("tree"), os.environ, here)
    chosen = tree.choose(wanted, course, syllabus.names)
    seed = config.getoption("seed")
    if seed is None:
        seed = random.SystemRandom().randrange(10**6)
    files = reports.parse_options(config.getoption("report"))
    clock = config.getoption("clock")
    identity = reports.identity(files, os.environ)
    for name in selection.tasks():
        catalog.task(name)
    engine = None
    if config.getoption("docker"):
        # Late: hardly a run has an engine, and all would wait for it to be read.
        from ml_api_lab.images.engine import Engine

        engine = Engine()
    debugger = _debugger(config)
    budget = config.getoption("budget")
    if debugger is not None:
        # Somebody thinks at a breakpoint: lab time could not move, and no budget holds.
        clock, budget = "real", _DEBUGGING_SECONDS
        if isolation.tier != "none":
            raise CourseError(
                f"No debugger can attach with --isolation={isolation.tier}; leave --isolation away."
            )
    return Session(
        config=config,
        course=course,
        syllabus=syllabus,
        catalog=catalog,
        tree=chosen,
        clock=clock,
        seed=seed,
        budget=budget,
        isolation=isolation,
        reports=files,
        grade=Grade(
            syllabus,
            chosen.name,
            clock,
            seed,
            isolation=isolation.tier,
            identity=identity,
            tree_problem=chosen.problem,
            digest=trusted.digest(course),
        ),
        runner=TaskRunner(pools, engine, debugger),
    )


def _debugger(config: pytest.Config) -> Debugger | None:
    """Return the debugger that `--debugger` asks for, None if it asks for none.

    Raises:
        CourseError: submissions have no debugpy to listen with, or the port is taken.
    """
    port = config.getoption("debugger")
    if port is None:
        return None
    if importlib.util.find_spec("debugpy") is None:
        raise CourseError(
            "--debugger needs debugpy, which is not installed; run: pip install debugpy"
        )

    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError as error:
        raise CourseError(
            f"--debugger={port}: that port cannot be used ({error.strerror}); take another."
        ) from error

    def announce(port: int) -> None:
        capture = config.pluginmanager.getplugin("capturemanager")
        with nullcontext() if capture is None else capture.global_and_fixture_disabled():
            print(
                f"\nThe submission waits for a debugger at 127.0.0.1:{port} (Ctrl-C ends the run).",
                flush=True,
            )

    return Debugger(port, announce)
