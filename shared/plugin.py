"""The pytest plugin: it gives checks their `task` and `clock`, and the run its grade.

It sleeps unless pytest's root folder is a course (has a `checks/syllabus.toml`).
"""

from __future__ import annotations

import gc
import inspect
import os
import random
import shlex
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import pytest

from shared import syllabus
from shared.ahead import Ahead, Passed
from shared.errors import CourseError, HarnessError
from shared.stage import SCIKIT_LEARN, Stage

if TYPE_CHECKING:
    from shared.catalog import Check
    from shared.clock import Clock
    from shared.grade import Grade
    from shared.reports import Report
    from shared.task import Task
    from shared.tree import Tree

BUDGET = 20.0

ALL_POINTS, POINTS_MISSING, FAILED_ITSELF = 0, 1, 3
"""The exit statuses of a run that came to its end; pytest's own 2, 4 and 5 stay as they are."""

# What a check may ask pytest for, and be marked with, to be run ahead of its turn: what it takes
# itself, and what pytest-asyncio adds.
_FIXTURES = {"task", "clock", "request", "event_loop_policy"}
_MARKS = {"asyncio", "scikit_learn"}

_ENDINGS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")


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
        type=float,
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


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "on_the_wall_clock: the check talks to a real process, in real time"
    )
    config.addinivalue_line(
        "markers", "scikit_learn: the submission's process has scikit-learn loaded beforehand"
    )
    if (config.rootpath / "checks" / "syllabus.toml").is_file():
        stage = config.stash.setdefault(_STAGE, Stage())
        config.add_cleanup(stage.close)
        try:
            if config.getoption("docker"):
                from shared.engine import Engine

                stage.engine = Engine()
            lab = Lab(config, stage)
        except CourseError as error:
            from shared.plain import plain

            raise pytest.UsageError(plain(str(error))) from error
        config.add_cleanup(lab.ahead.end)
        config.pluginmanager.register(lab, "lab-run")
        config.stash[_LAB] = lab
        _hear_endings(config)
    elif config.getoption("tree") or config.getoption("report"):
        raise pytest.UsageError(
            f"--tree and --report are for a course, and {config.rootpath} has no "
            "checks/syllabus.toml; run pytest in the folder that has it."
        )


def _hear_endings(config: pytest.Config) -> None:
    """Take the signals with which platforms end a run for what Ctrl-C is, and hear all at once.

    So the reports get written in the seconds that a platform leaves. asyncio would hear Ctrl-C only
    when the submission has given way.
    """
    if threading.current_thread() is not threading.main_thread():
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt(f"ended by {signal.Signals(number).name}")

    for name in _ENDINGS:
        number = getattr(signal, name, None)
        if number is None:
            continue
        before = signal.getsignal(number)
        if before in (signal.SIG_DFL, signal.default_int_handler):
            signal.signal(number, interrupt)
            config.add_cleanup(partial(_restore, number, before))


def _restore(number: int, handler: Any) -> None:
    signal.signal(number, handler)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Let no signal end what is inside."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [getattr(signal, name) for name in _ENDINGS if hasattr(signal, name)]
    before = [(number, signal.signal(number, signal.SIG_IGN)) for number in numbers]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


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
        if any(b"mark.scikit_learn" in file.read_bytes() for file in files):
            stage.hosts("lab", entry.preload + SCIKIT_LEARN)


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> Mapping[str, Any]:
    import asyncio

    lab = config.stash.get(_LAB, None)
    if lab is None or lab.check_of(item) is None:
        return {"asyncio": asyncio.new_event_loop}
    from shared.clock import new_loop

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
    """A scratch copy of the task's folder, ready to be put to work."""
    lab = request.config.stash[_LAB]
    handle = lab.handle(request.node, clock)
    yield handle
    handle.close()


class Lab:
    """One run of the lab."""

    def __init__(self, config: pytest.Config, stage: Stage) -> None:
        from shared import catalog, grade, reports, tree

        self.config = config
        self.course = config.rootpath
        self.syllabus = syllabus.read(self.course / "checks" / "syllabus.toml")
        self.catalog = catalog.Catalog(self.course, self.syllabus)
        chosen = config.getoption("tree") or os.environ.get("LAB_TREE") or self._where_asked()
        self.tree: Tree = tree.choose(chosen or "exercises", self.course, self.syllabus.names)
        seed = config.getoption("seed")
        self.seed = random.SystemRandom().randrange(10**6) if seed is None else seed
        self.reports = reports.wanted(config.getoption("report"))
        self.grade: Grade = grade.Grade(
            self.syllabus,
            self.tree.name,
            config.getoption("clock"),
            self.seed,
            identity=reports.identity(self.reports, os.environ),
        )
        self.harness_failed = False
        self.stage = stage
        self.ahead = Ahead(self._perform)
        self._stretches: dict[pytest.Item, list[pytest.Item]] = {}
        self._handles: dict[str, Task] = {}
        self._unloaded: list[str] = []
        self._written: list[str] = []
        if not config.getoption("collectonly"):
            reports.forget(self.reports)
        for name in self._asked():
            self.catalog.task(name)

    # --- what was asked for -----------------------------------------------------------------------

    def _where_asked(self) -> str | None:
        """Take a task's folder in a tree as its checks; return the name of that tree."""
        from shared.tree import TREES

        asked_for_nothing = self.config.args_source is not pytest.Config.ArgsSource.ARGS
        here = str(self.config.invocation_params.dir)
        args = [here] if asked_for_nothing else self.config.args
        named: str | None = None
        mapped = []
        for arg in args:
            path = Path(os.path.abspath(os.path.join(here, arg)))
            parts = path.relative_to(self.course).parts if path.is_relative_to(self.course) else ()
            if len(parts) >= 1 and parts[0] in TREES:
                named = parts[0]
                task = parts[1:2] if parts[1:2] and parts[1] in self.syllabus.names else ()
                mapped.append(str(self.course.joinpath("checks", *task)))
            else:
                mapped.append(arg)
        if named is not None:
            self.config.args = mapped
        return named

    def _asked(self) -> list[str]:
        """Return the tasks that the command line names; all, if it names a folder of many."""
        named = []
        for arg in self.config.args:
            parts = Path(arg.split("::")[0]).parts
            named.append(next((name for name in self.syllabus.names if name in parts), None))
        return [name for name in named if name] if all(named) else self.syllabus.names

    def check_of(self, item: pytest.Item) -> Check | None:
        """Return the check that this test is, None if it is none."""
        if not item.path.is_relative_to(self.course / "checks"):
            return None
        file = item.path.relative_to(self.course).as_posix()
        return self.catalog.get(f"{file}::{getattr(item, 'originalname', item.name)}")

    def clock_of(self, item: pytest.Item) -> str:
        wall = item.get_closest_marker("on_the_wall_clock") is not None
        return "real" if wall else str(self.config.getoption("clock"))

    # --- what a check gets ------------------------------------------------------------------------

    def handle(self, item: pytest.Item, clock: Clock) -> Task:
        handle = self.stage.task(
            self._entry(item),
            self.tree,
            clock,
            self._draw(item),
            terminal=self._terminal(),
            science=self._needs_science(item),
        )
        self._handles[item.nodeid] = handle
        return handle

    def _entry(self, item: pytest.Item) -> syllabus.Entry:
        check = self.check_of(item)
        if check is None:
            raise CourseError(f"{item.nodeid} is no check, so it has no task.")
        return self.syllabus.entry(check.task)

    def _draw(self, item: pytest.Item) -> random.Random:
        return random.Random(f"{self.seed} {item.nodeid}")

    def _needs_science(self, item: pytest.Item) -> bool:
        return item.get_closest_marker("scikit_learn") is not None

    def _terminal(self) -> str | None:
        """Return the terminal's name if pytest leaves it to us (`-s`)."""
        if self.config.getoption("capture") != "no" or not sys.stdin.isatty():
            return None
        if os.name == "nt":
            return "CON"
        try:
            return os.ttyname(0)
        except OSError:
            return None

    # --- ahead of its turn ------------------------------------------------------------------------

    def _may_run_ahead(self, item: pytest.Item) -> bool:
        """Whether this is a check in lab time that asks pytest for nothing but task and clock."""
        return (
            self.check_of(item) is not None
            and self.clock_of(item) == "lab"
            and isinstance(item, pytest.Function)
            and inspect.iscoroutinefunction(item.function)
            and _FIXTURES.issuperset(item.fixturenames)
            and _MARKS.issuperset(mark.name for mark in item.iter_markers())
        )

    def _perform(self, item: pytest.Item, know: Callable[[Clock], None]) -> None:
        # With part of the budget: what does not end by itself is to have it in its turn.
        async def scene(task: Task, clock: Clock) -> None:
            know(clock)
            await function(**{name: {"task": task, "clock": clock}[name] for name in wanted})

        function = item.function  # type: ignore[attr-defined]
        wanted = inspect.signature(function).parameters
        self.stage.play(
            scene,
            self._entry(item),
            self.tree,
            self._draw(item),
            budget=self.config.getoption("budget") / 4,
            science=self._needs_science(item),
        )

    def _spread(self, stretch: list[pytest.Item]) -> list[pytest.Item]:
        """Return the checks in the order in which to begin with them.

        The first of each task, then the second of each: a file begins with what takes longest, and
        one long check alone at the end would leave the machine idle. Last, what waits for
        scikit-learn, which takes a while to load.
        """
        places: dict[Path, int] = {}
        keys = {}
        for item in stretch:
            places[item.path] = place = places.get(item.path, 0) + 1
            keys[item] = self._needs_science(item), place
        return sorted(stretch, key=keys.__getitem__)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> bool | None:
        """Report a check that has passed ahead; begin with those that follow when it is time."""
        if isinstance(item, _PassedItem):
            return None
        if item in self._stretches:
            self.ahead.begin(self._stretches[item])
        passed = self.ahead.passed(item)
        if passed is None or item.parent is None:
            return None
        report = _PassedItem.from_parent(item.parent, name=item.name, passed=passed)
        done: bool | None = item.ihook.pytest_runtest_protocol(item=report, nextitem=nextitem)
        return done

    # --- pytest's hooks ---------------------------------------------------------------------------

    def pytest_report_header(self) -> str:
        return f"lab: tree {self.tree.name}, clock {self.grade.clock}, seed {self.seed}"

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Remember the checks that cannot be loaded: they count, and the harness is to blame."""
        if report.failed and any(self._lies_in(check, report.nodeid) for check in self.catalog):
            self.harness_failed = True
            self._unloaded.append(report.nodeid)

    def _lies_in(self, check: str, node: str) -> bool:
        return node in ("", ".") or check.startswith((f"{node}/", f"{node}::"))

    def _is_unloaded(self, check: str) -> bool:
        return any(self._lies_in(check, node) for node in self._unloaded)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Put the checks into the order of the syllabus, and expect their points."""
        from shared.grade import Result

        checks = {item: self.check_of(item) for item in items}
        asked = {check.task for check in checks.values() if check is not None}
        if self._unloaded:
            asked |= {check.task for check in self.catalog.values() if self._is_unloaded(check.id)}
        for name in self.syllabus.names:
            if name in asked:
                for check in self.catalog.task(name).values():
                    self.grade.results[check.id] = Result(check)
        order = {name: place for place, name in enumerate(self.grade.results)}
        items.sort(key=lambda item: order[c.id] if (c := checks[item]) is not None else -1)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        from itertools import groupby

        from shared.grade import DESELECTED

        found = {check.id for item in session.items if (check := self.check_of(item)) is not None}
        for name, result in self.grade.results.items():
            if name not in found and not self._is_unloaded(name):
                result.outcome = DESELECTED
        if self.config.getoption("collectonly"):
            return
        # All that is alive now stays so: nobody need look through it for garbage, as pytest does at
        # its end.
        gc.freeze()
        for item in session.items:
            if self._needs_science(item) and self.check_of(item) is not None:
                self.stage.hosts(self.clock_of(item), self._entry(item).preload + SCIKIT_LEARN)
        # A debugger wants the terminal to itself, and so does a real server the machine.
        if self._terminal() is None and not hasattr(self.config, "workerinput"):
            for ahead, group in groupby(session.items, self._may_run_ahead):
                if ahead:
                    stretch = list(group)
                    self._stretches[stretch[0]] = self._spread(stretch)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        check = self.check_of(item)
        if isinstance(item, _PassedItem) and report.when == "call":
            report.duration = item.passed.took
        if check is not None:
            self._record(item, check, call, report)
        return report

    def _record(
        self,
        item: pytest.Item,
        check: Check,
        call: pytest.CallInfo[None],
        report: pytest.TestReport,
    ) -> None:
        from shared.card import card, message_of
        from shared.grade import FAILED, NOT_RUN, PASSED

        result = self.grade.results[check.id]
        result.real_time += report.duration
        handle = self._handles.get(item.nodeid)
        if isinstance(item, _PassedItem):
            result.lab_time = item.passed.lab_time
        if report.when == "call" and handle is not None:
            result.lab_time = max(result.lab_time, int(handle.clock.now))
        if report.passed:
            if report.when == "call" and result.outcome == NOT_RUN:
                result.outcome = PASSED
            return
        error = call.excinfo.value if call.excinfo is not None else None
        if isinstance(error, HarnessError | CourseError):
            self.harness_failed = True
        message = message_of(error, skipped=report.skipped)
        if handle is not None:
            handle.halt()
        transcript = handle.transcript if handle is not None else None
        text = card(check, message, transcript, self._again(item))
        if not result.card:
            result.message, result.card = message, text
        result.outcome = FAILED
        if self.config.getoption("tbstyle") == "auto" and not isinstance(error, CourseError):
            report.longrepr = text
            report.sections.clear()
        else:
            self._make_plain(report)

    def _make_plain(self, report: pytest.TestReport) -> None:
        """Take what is dangerous out of pytest's own account, which costs it its colours."""
        from shared.plain import plain

        if (text := plain(report.longreprtext)) != report.longreprtext:
            report.longrepr = text

    def _again(self, item: pytest.Item) -> str:
        command = ["pytest", item.nodeid]
        if self.tree.name != "exercises":
            command.append(f"--tree={self.tree.name}")
        if self.grade.clock != "lab":
            command.append(f"--clock={self.grade.clock}")
        command.append(f"--seed={self.seed}")
        return shlex.join(command)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        from shared.grade import summary
        from shared.plain import plain

        if self.grade.results and not self.config.getoption("collectonly"):
            terminalreporter.section(f"{self.syllabus.title}: {self.tree.name}")
            for line in [*summary(self.grade), *self.grade.notes]:
                terminalreporter.write_line(line)
        for line in self._written:
            terminalreporter.write_line(plain(line))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None]:
        """Close the grade and write the reports, before anything that could keep us from it."""
        if not self.config.getoption("collectonly"):
            with _undisturbed():
                self._conclude(session)
        return (yield)

    def _conclude(self, session: pytest.Session) -> None:
        from shared import grade

        status = session.exitstatus
        if status == pytest.ExitCode.USAGE_ERROR:
            return
        left = any(each.outcome == grade.NOT_RUN for each in self.grade.results.values())
        if self.harness_failed or status == pytest.ExitCode.INTERNAL_ERROR:
            self.grade.ended = grade.HARNESS_FAILED
            session.exitstatus = FAILED_ITSELF
        elif status == pytest.ExitCode.INTERRUPTED:
            self.grade.ended = grade.INTERRUPTED
        elif not self.grade.results:
            self.grade.ended = grade.NOTHING
        elif left:
            self.grade.ended = grade.STOPPED
        if session.exitstatus == ALL_POINTS and self.grade.missing:
            session.exitstatus = POINTS_MISSING
        for report in self.reports:
            self._write(session, report)

    def _write(self, session: pytest.Session, report: Report) -> None:
        from shared import reports

        try:
            reports.write(self.grade, report)
        except Exception as error:  # the other reports are to be written all the same
            session.exitstatus = FAILED_ITSELF
            self._written.append(
                f"The {report.format} report was not written to {report.file}: "
                f"{type(error).__name__}: {error}"
            )
        else:
            self._written.append(f"The {report.format} report is in {report.file}")


class _PassedItem(pytest.Item):
    """A check that has passed ahead, for pytest to report in its turn."""

    def __init__(self, *, passed: Passed, **rest: Any) -> None:
        super().__init__(**rest)
        self.passed = passed

    def runtest(self) -> None:
        """Do nothing: it has been done."""

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, None, self.name


_LAB = pytest.StashKey[Lab]()
_STAGE = pytest.StashKey[Stage]()
