"""Reporting: what becomes of a check's result, in the grade and on the terminal."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest
from _pytest._code.code import TerminalRepr
from _pytest._io import TerminalWriter

from ml_api_lab.course import stubs
from ml_api_lab.course.catalog import Check
from ml_api_lab.errors import CourseError
from ml_api_lab.grading.grade import Outcome, score, summary
from ml_api_lab.grading.verdict import Verdict
from ml_api_lab.lab_time import Span
from ml_api_lab.sanitize import sanitize
from ml_api_lab.session.conclusion import Conclusion
from ml_api_lab.session.schedule import PlayedItem
from ml_api_lab.session.session import HANDLE, Session

_IS_ABSENT = pytest.StashKey[bool]()


class Reporting:
    """Records the results, and shows cards and the grade."""

    def __init__(self, session: Session, conclusion: Conclusion) -> None:
        self._session = session
        self._conclusion = conclusion
        self._cards: dict[str, list[tuple[pytest.TestReport, Verdict]]] = {}

    # --- one check --------------------------------------------------------------------------------

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        check = self._session.check_of(item)
        shows_card = check is not None and self._shows_card(call)
        with self._no_traceback() if shows_card else nullcontext():
            report = yield
        if check is not None:
            if isinstance(item, PlayedItem) and report.when == "call":
                report.duration = item.verdict.real_seconds
            self._record(item, check, call, report)
        return report

    def _record(
        self,
        item: pytest.Item,
        check: Check,
        call: pytest.CallInfo[None],
        report: pytest.TestReport,
    ) -> None:
        result = self._session.grade.results[check.id]
        result.real_time += report.duration
        verdict = self._verdict(item, check, call, report)
        if report.when == "call":
            result.lab_time = max(result.lab_time, verdict.lab_time)
        if report.passed:
            if report.when == "call" and result.outcome == Outcome.NOT_RUN:
                result.outcome = Outcome.PASSED
            return
        self._session.grade.harness_failed |= verdict.harness_failed
        if not result.card:
            result.message = verdict.message
            command = self._command_again(item, is_reported=True)
            result.card = verdict.card(command, is_whole=True)
        result.outcome = Outcome.FAILED
        # All checks of a task without a folder say the same, which is told once.
        result.absent |= verdict.is_absent
        report.is_absent = verdict.is_absent  # type: ignore[attr-defined]  # travels with the report
        if self._shows_card(call):
            card = verdict.card(
                self._command_again(item, is_reported=False),
                columns=self._session.config.get_terminal_writer().fullwidth,
                is_whole=self._session.config.getoption("verbose") > 0,
            )
            report.longrepr = _CardRepr(self._printable(card))
            report.sections.clear()
            self._cards.setdefault(check.task, []).append((report, verdict))
        elif (text := sanitize(report.longreprtext)) != report.longreprtext:
            report.longrepr = text  # which costs pytest's own account its colours

    def _verdict(
        self,
        item: pytest.Item,
        check: Check,
        call: pytest.CallInfo[None],
        report: pytest.TestReport,
    ) -> Verdict:
        """Return what a trial has found; for a check that pytest has run, what that comes to."""
        if isinstance(item, PlayedItem):
            return item.verdict
        handle = item.stash.get(HANDLE, None)
        if handle is not None and not report.passed:
            handle.halt()  # its transcript is complete then
        return Verdict(
            check=check,
            error=call.excinfo.value if call.excinfo is not None else None,
            transcript=None if handle is None else handle.transcript,
            lab_time=Span(0) if handle is None else Span(int(handle.clock.now)),
            skipped=report.skipped,
            clock=self._session.clock_of(check),
        )

    def _shows_card(self, call: pytest.CallInfo[None]) -> bool:
        """Whether its card is shown: `--tb` asks for pytest's own account, and authors need it."""
        at_fault = call.excinfo is not None and isinstance(call.excinfo.value, CourseError)
        return self._session.config.getoption("tbstyle") == "auto" and not at_fault

    @contextmanager
    def _no_traceback(self) -> Iterator[None]:
        """Let pytest draw no traceback meanwhile: it would parse whole libraries for one."""
        option = self._session.config.option
        option.tbstyle = "no"
        try:
            yield
        finally:
            option.tbstyle = "auto"

    def _printable(self, text: str) -> str:
        """Spell what the terminal's encoding lacks; pytest would spell every line break as well."""
        encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
        return text.encode(encoding, "backslashreplace").decode(encoding)

    def _command_again(self, item: pytest.Item, *, is_reported: bool) -> str:
        """Return the command that runs a check again: from here, or where a report is read.

        Who reads a report is at the top of a clone of their own, and it is their tree.
        """
        session = self._session
        file, _, name = item.nodeid.partition("::")
        command = ["pytest", f"{file if is_reported else self._from_here(file)}::{name}"]
        if session.tree.name != "exercises" and not (is_reported and session.tree.is_foreign):
            command.append(f"--tree={session.tree.name}")
        if session.clock != "lab":
            command.append(f"--clock={session.clock}")
        command.append(f"--seed={session.seed}")
        return subprocess.list2cmdline(command) if os.name == "nt" else shlex.join(command)

    def _from_here(self, file: str) -> str:
        """Return a file's path from where pytest was called, as node ids in its lines are."""
        path = self._session.course / file
        try:
            here = self._session.config.invocation_params.dir
            return Path(os.path.relpath(path, here)).as_posix()
        except ValueError:  # another drive
            return path.as_posix()

    # --- the run ----------------------------------------------------------------------------------

    def pytest_report_header(self) -> str:
        session = self._session
        return f"lab: tree {session.tree.name}, clock {session.clock}, seed {session.seed}"

    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """Count the checks of absent tasks by themselves; they get no card in the terminal."""
        if getattr(report, "is_absent", False):
            return "of absent tasks", "F", "ABSENT"
        return None

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> Generator[None]:
        """Show the grade below all else, and one card for each cause."""
        failed = terminalreporter.stats.get("failed", [])
        shown = self._one_for_each_cause(failed)
        if self._cards:
            terminalreporter.stats["failed"] = shown
        reportchars = terminalreporter.reportchars
        if self._cards and not self._asks_for_short_summary():
            terminalreporter.reportchars = ""  # the cards and the table have said it
        try:
            return (yield)
        finally:
            terminalreporter.reportchars = reportchars
            if self._cards:
                terminalreporter.stats["failed"] = failed  # counted in pytest's closing line
            self._show_grade(terminalreporter)

    def _asks_for_short_summary(self) -> bool:
        """Whether the command line has an `-r`; what it has without one is pytest's default."""
        return any(each.startswith("-r") for each in self._session.config.invocation_params.args)

    def _one_for_each_cause(self, failed: list[pytest.TestReport]) -> list[pytest.TestReport]:
        """Return the failed reports to show: of each task the one card that tells most comes first.

        Whoever runs more than one task has mostly not begun with all of them: what has no point yet
        shows one card. A later card that says the same is a row of the first one.
        """
        if self._session.config.getoption("verbose") > 0:
            return failed
        grade = self._session.grade
        several = len(grade.tasks) > 1
        hidden: set[int] = set()
        place: dict[int, int] = {}
        for task, cards in self._cards.items():
            has_points = score(grade.results_of(task)) > 0
            not_begun = self._session.is_untouched(task) and not has_points
            shown: list[tuple[pytest.TestReport, frozenset[str]]] = []
            for report, verdict in sorted(cards, key=lambda each: each[1].rank):
                place[id(report)] = len(place)
                causes = verdict.causes
                same = [card for card, its in shown if its & causes]
                if not_begun:
                    hidden.add(id(report))
                elif same or (shown and several and not has_points):
                    hidden.add(id(report))
                    first = same[0] if same else shown[0][0]
                    assert isinstance(first.longrepr, _CardRepr)
                    first.longrepr.folded(verdict.check, is_same=bool(same))
                else:
                    shown.append((report, causes))
        kept = [report for report in failed if id(report) not in hidden]
        ours = iter(
            sorted((each for each in kept if id(each) in place), key=lambda each: place[id(each)])
        )
        return [next(ours) if id(report) in place else report for report in kept]

    def _show_grade(self, terminal: pytest.TerminalReporter) -> None:
        session, grade = self._session, self._session.grade
        if grade.results and session.grades:
            terminal.write_sep("=", f"{session.syllabus.title}: {session.tree.name}")
            lost = "Bring what is missing back from where you got the lab."
            back = [lost] if grade.absent and session.tree.name == "exercises" else []
            for line in [*self._not_begun(), *summary(grade), *grade.absent, *back, *grade.notes]:
                terminal.write_line(line)
        for line in self._conclusion.told:
            terminal.write_line(sanitize(line))

    def _not_begun(self) -> list[str]:
        """Return a line for each task whose files are still those that were handed out."""
        session, told = self._session, []
        for task in self._cards:
            if session.is_untouched(task) and score(session.grade.results_of(task)) == 0:
                files = stubs.placeholders(session.tree.folder(task))
                edit = " and ".join(f"{session.tree.shown(task)}/{name}" for name in files)
                told.append(
                    f"{session.syllabus.entry(task).number} is not started yet: "
                    f"read checks/{task}/README.md, edit {edit}."
                )
        return told


class _CardRepr(TerminalRepr):
    """A card on the terminal, in colour where that has it; it also names what it stands for."""

    def __init__(self, card: str) -> None:
        *blocks, self._again = card.split("\n\n")
        self._blocks = blocks
        self._same: list[str] = []
        self._further = 0

    def folded(self, check: Check, *, is_same: bool) -> None:
        """Stand for the card of that check as well.

        Args:
            is_same: whether it failed by the same; else its task is as good as not begun.
        """
        if is_same:
            points = f"{check.points} point{'' if check.points == 1 else 's'}"
            self._same.append(f"also fails for this reason: {check.name} (0 of {points})")
        else:
            self._further += 1

    def toterminal(self, tw: TerminalWriter) -> None:
        title, *blocks = self._blocks
        tw.line(title, bold=True)
        for number, block in enumerate(blocks):
            tw.line()
            for row in block.split("\n"):
                if number == 0:
                    # The first block is the sentence, with the hint under it.
                    tw.line(row, **({"cyan": True} if row.startswith("Hint: ") else {"red": True}))
                else:
                    tw.line(row, bold=row.startswith(" >> "))
        tw.line()
        for row in self._same:
            tw.line(row)
        if self._further:
            cards = "1 more card" if self._further == 1 else f"{self._further} more cards"
            tw.line(f"({cards} of this task with -v)")
        tw.line(self._again)
