"""One run of the lab: what was asked for, what each check gets, and the grade in the end."""

from __future__ import annotations

import gc
import os
import random
import re
import shlex
import subprocess
import sys
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ml_api_lab.course import syllabus
from ml_api_lab.errors import RAISED, CourseError, HarnessError, Hinted, NotThere, StartFailed
from ml_api_lab.runner import SCIKIT_LEARN, Stage
from ml_api_lab.session import signals
from ml_api_lab.session.schedule import PassedItem

if TYPE_CHECKING:
    from ml_api_lab.course.catalog import Check
    from ml_api_lab.course.tree import Tree
    from ml_api_lab.grading.grade import Grade
    from ml_api_lab.grading.reports import Report
    from ml_api_lab.protocol.messages import ClockName
    from ml_api_lab.sandbox.clock import Clock
    from ml_api_lab.sandbox.transcript import Transcript
    from ml_api_lab.task import Task

_ADDRESS = re.compile("0x[0-9a-f]+")

ALL_POINTS, POINTS_MISSING, FAILED_ITSELF = 0, 1, 3
"""The exit statuses of a run that came to its end; pytest's own 2, 4 and 5 stay as they are."""


def runs_nothing(config: pytest.Config) -> bool:
    """Whether it is only asked what there is: no check runs, and there is no grade."""
    return any(map(config.getoption, ("collectonly", "showfixtures", "show_fixtures_per_test")))


def _cause(error: BaseException | None, transcript: Transcript | None) -> str:
    """Return what keeps a task's other checks from their questions as well, "" if nothing does."""
    if isinstance(error, NotThere | StartFailed):
        return _ADDRESS.sub("0x", str(error))
    raised = isinstance(error, Hinted) and error.hint == RAISED
    if raised and transcript is not None and transcript.raised:
        last = transcript.raised[-1]
        return _ADDRESS.sub("0x", f"{last} {last.frames[-1:]}")
    return ""


class Lab:
    """One run of the lab."""

    def __init__(self, config: pytest.Config, stage: Stage) -> None:
        from ml_api_lab.course import catalog, tree
        from ml_api_lab.grading import grade, reports
        from ml_api_lab.session.selection import Asked

        self.config = config
        self.course = config.rootpath
        self.syllabus = syllabus.read(self.course / "checks" / "syllabus.toml")
        self.catalog = catalog.Catalog(self.course, self.syllabus)
        asked = Asked(config, self.syllabus.names)
        asked.refuse_workers()
        here = asked.tree() or tree.TREES[0]
        options = (config.getoption("tree"), os.environ.get("LAB_TREE"), here)
        chosen = next(option for option in options if option is not None)
        self.tree: Tree = tree.choose(chosen, self.course, self.syllabus.names)
        seed = config.getoption("seed")
        self.seed = random.SystemRandom().randrange(10**6) if seed is None else seed
        self.reports = reports.parse_options(config.getoption("report"))
        self.grade: Grade = grade.Grade(
            self.syllabus,
            self.tree.name,
            config.getoption("clock"),
            self.seed,
            identity=reports.identity(self.reports, os.environ),
        )
        self.harness_failed = False
        self.stage = stage
        self._handles: dict[str, Task] = {}
        self._cards: dict[str, list[tuple[pytest.TestReport, str]]] = {}
        self._unloaded: list[str] = []
        self._written: list[str] = []
        for name in asked.tasks():
            self.catalog.task(name)

    # --- which check a test is --------------------------------------------------------------------

    def check_of(self, item: pytest.Item) -> Check | None:
        """Return the check that this test is, None if it is none."""
        if not item.path.is_relative_to(self.course / "checks"):
            return None
        file = item.path.relative_to(self.course).as_posix()
        return self.catalog.get(f"{file}::{getattr(item, 'originalname', item.name)}")

    def clock_of(self, item: pytest.Item) -> ClockName:
        check = self.check_of(item)
        wall = check is not None and check.on_the_wall_clock
        chosen: ClockName = self.config.getoption("clock")
        return "real" if wall else chosen

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """Mark what the catalogue says of a check, for pytest's `-m`."""
        if (check := self.check_of(item)) is not None:
            if check.on_the_wall_clock:
                item.add_marker("on_the_wall_clock")
            if check.needs_scikit_learn:
                item.add_marker("scikit_learn")

    # --- what a check gets ------------------------------------------------------------------------

    def handle(self, item: pytest.Item, clock: Clock) -> Task:
        handle = self.stage.task(
            self.entry_of(item),
            self.tree,
            clock,
            self.draw_of(item),
            terminal=self.terminal(),
            science=self.needs_science(item),
        )
        self._handles[item.nodeid] = handle
        return handle

    def entry_of(self, item: pytest.Item) -> syllabus.Entry:
        check = self.check_of(item)
        if check is None:
            raise CourseError(f"{item.nodeid} is no check, so it has no task.")
        return self.syllabus.entry(check.task)

    def draw_of(self, item: pytest.Item) -> random.Random:
        return random.Random(f"{self.seed} {item.nodeid}")

    def needs_science(self, item: pytest.Item) -> bool:
        check = self.check_of(item)
        return check is not None and check.needs_scikit_learn

    def terminal(self) -> str | None:
        """Return the terminal's name if pytest leaves it to us (`-s`)."""
        if self.config.getoption("capture") != "no" or not sys.stdin.isatty():
            return None
        if os.name == "nt":
            return "CON"
        try:
            return os.ttyname(0)
        except OSError:
            return None

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
        from ml_api_lab.grading.grade import Result

        checks = {item: self.check_of(item) for item in items}
        for item, check in checks.items():
            if check is None and item.path.is_relative_to(self.course / "checks"):
                raise pytest.UsageError(
                    f"{item.nodeid} is no check: checks are functions at the top of a file "
                    "checks/task_x_y/test_*.py."
                )
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
        from ml_api_lab.grading.grade import Outcome

        found = {check.id for item in session.items if (check := self.check_of(item)) is not None}
        for name, result in self.grade.results.items():
            if name not in found and not self._is_unloaded(name):
                result.outcome = Outcome.DESELECTED
        if runs_nothing(self.config):
            return
        # All that is alive now stays so: nobody need look through it for garbage, as pytest does at
        # its end.
        gc.freeze()
        for item in session.items:
            if self.needs_science(item) and self.check_of(item) is not None:
                self.stage.hosts(self.clock_of(item), self.entry_of(item).preload + SCIKIT_LEARN)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        check = self.check_of(item)
        shown = check is not None and self._shows_card(call)
        with self._no_traceback() if shown else nullcontext():
            report = yield
        if isinstance(item, PassedItem) and report.when == "call":
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
        from ml_api_lab.grading.card import card, hint_of, message_of
        from ml_api_lab.grading.grade import Outcome

        result = self.grade.results[check.id]
        result.real_time += report.duration
        handle = self._handles.get(item.nodeid)
        if isinstance(item, PassedItem):
            result.lab_time = item.passed.lab_time
        if report.when == "call" and handle is not None:
            result.lab_time = max(result.lab_time, int(handle.clock.now))
        if report.passed:
            if report.when == "call" and result.outcome == Outcome.NOT_RUN:
                result.outcome = Outcome.PASSED
            return
        error = call.excinfo.value if call.excinfo is not None else None
        if isinstance(error, HarnessError | CourseError):
            self.harness_failed = True
        message = message_of(error, skipped=report.skipped)
        if handle is not None:
            handle.halt()
        transcript = handle.transcript if handle is not None else None
        there = not isinstance(error, NotThere)
        hint = hint_of(check, error)
        here, elsewhere = (
            card(check, message, transcript, self._again(item, reported=reported), hint=hint)
            for reported in (False, True)
        )
        if not result.card:
            result.message, result.card = message, elsewhere
        result.outcome = Outcome.FAILED
        if not there and handle is None:
            # No folder, no handle: all checks of the task say the same, which is told once.
            result.absent = True
            report.absent = True  # type: ignore[attr-defined]
        if self._shows_card(call):
            report.longrepr = self._printable(here)
            report.sections.clear()
            self._cards.setdefault(check.task, []).append((report, _cause(error, transcript)))
        else:
            self._make_plain(report)

    def _printable(self, text: str) -> str:
        """Spell what the terminal's encoding lacks; pytest would spell every line break as well."""
        encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
        return text.encode(encoding, "backslashreplace").decode(encoding)

    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """Count the checks of absent tasks by themselves; they get no card in the terminal."""
        if getattr(report, "absent", False):
            return "of absent tasks", "F", "ABSENT"
        return None

    def _shows_card(self, call: pytest.CallInfo[None]) -> bool:
        """Whether its card is shown: `--tb` asks for pytest's own account, and authors need it."""
        at_fault = call.excinfo is not None and isinstance(call.excinfo.value, CourseError)
        return self.config.getoption("tbstyle") == "auto" and not at_fault

    @contextmanager
    def _no_traceback(self) -> Iterator[None]:
        """Let pytest draw no traceback meanwhile: it would parse whole libraries for one."""
        self.config.option.tbstyle = "no"
        try:
            yield
        finally:
            self.config.option.tbstyle = "auto"

    def _make_plain(self, report: pytest.TestReport) -> None:
        """Take what is dangerous out of pytest's own account, which costs it its colours."""
        from ml_api_lab.sanitize import sanitize

        if (text := sanitize(report.longreprtext)) != report.longreprtext:
            report.longrepr = text

    def _again(self, item: pytest.Item, *, reported: bool) -> str:
        """Return the command that runs a check again: from here, or where a report is read.

        Who reads a report is at the top of a clone of their own, and it is their tree.
        """
        file, _, name = item.nodeid.partition("::")
        command = ["pytest", f"{file if reported else self._from_here(file)}::{name}"]
        if self.tree.name != "exercises" and not (reported and self.tree.is_foreign):
            command.append(f"--tree={self.tree.name}")
        if self.grade.clock != "lab":
            command.append(f"--clock={self.grade.clock}")
        command.append(f"--seed={self.seed}")
        return subprocess.list2cmdline(command) if os.name == "nt" else shlex.join(command)

    def _from_here(self, file: str) -> str:
        """Return a file's path from where pytest was called, as node ids in its lines are."""
        try:
            here = self.config.invocation_params.dir
            return Path(os.path.relpath(self.course / file, here)).as_posix()
        except ValueError:  # another drive
            return (self.course / file).as_posix()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(self, terminalreporter: Any) -> Generator[None]:
        """Show the grade below all else, and few cards of what is not begun or does not start."""
        failed = terminalreporter.stats.get("failed", [])
        spared = self._spare()
        if spared:
            shown = [report for report in failed if id(report) not in spared]
            terminalreporter.stats["failed"] = shown
        try:
            return (yield)
        finally:
            if spared:
                terminalreporter.stats["failed"] = failed  # counted in pytest's closing line
            self._show_grade(terminalreporter)

    def _spare(self) -> set[int]:
        """Return the ids of reports whose cards would bury the others'; those left tell of them.

        Whoever runs more than one task has mostly not begun with all of them.
        """
        from ml_api_lab.grading.grade import score

        spared: set[int] = set()
        if self.config.getoption("verbose") > 0:
            return spared
        several = len(self.grade.tasks) > 1
        for task, cards in self._cards.items():
            begun = score(self.grade.results_of(task)) > 0
            shown: list[tuple[pytest.TestReport, str]] = []
            stands_for: Counter[int] = Counter()
            for report, cause in cards:
                same = [each for each, its in shown if cause and its == cause]
                if not begun and several:
                    same = [each for each, _ in shown[:1]]
                if same:
                    spared.add(id(report))
                    stands_for[id(same[0])] += 1
                else:
                    shown.append((report, cause))
            for report, _ in shown:
                if more := stands_for[id(report)]:
                    cards_more = "1 more card" if more == 1 else f"{more} more cards"
                    report.longrepr = f"{report.longrepr}\n\n({cards_more} of {task} with -v)"
        return spared

    def _show_grade(self, terminalreporter: Any) -> None:
        from ml_api_lab.grading.grade import summary
        from ml_api_lab.sanitize import sanitize

        if self.grade.results and not runs_nothing(self.config):
            terminalreporter.section(f"{self.syllabus.title}: {self.tree.name}")
            lost = "Bring what is missing back from where you got the lab."
            back = [lost] if self.grade.absent and self.tree.name == "exercises" else []
            for line in [*summary(self.grade), *self.grade.absent, *back, *self.grade.notes]:
                terminalreporter.write_line(line)
        for line in self._written:
            terminalreporter.write_line(sanitize(line))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None]:
        """Close the grade and write the reports, before anything that could keep us from it."""
        if not runs_nothing(self.config):
            with signals.undisturbed():
                self._conclude(session)
        return (yield)

    def _conclude(self, session: pytest.Session) -> None:
        from ml_api_lab.grading import grade

        status = session.exitstatus
        if status == pytest.ExitCode.USAGE_ERROR:
            return
        left = any(each.outcome == grade.Outcome.NOT_RUN for each in self.grade.results.values())
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
        from ml_api_lab.grading import reports

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
