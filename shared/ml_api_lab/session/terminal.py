"""Reporting: what becomes of a check's result, in the grade and on the terminal."""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager, nullcontext

import pytest
from _pytest._code.code import TerminalRepr
from _pytest._io import TerminalWriter

from ml_api_lab.course.catalog import Check
from ml_api_lab.course.place import path_from
from ml_api_lab.course.tree import TREES
from ml_api_lab.errors import CourseError
from ml_api_lab.grading.grade import Outcome, how_graded, score
from ml_api_lab.grading.problems import problem_lines
from ml_api_lab.grading.shown import (
    choose_cards,
    fail,
    grade_lines,
    not_begun_lines,
    rerun_command,
)
from ml_api_lab.grading.verdict import Verdict
from ml_api_lab.lab_time import Span
from ml_api_lab.progress.next_step import next_line
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
        fail(result, verdict, self._command_again(item, is_reported=True))
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
        session, node = self._session, item.nodeid
        if not is_reported:
            file, _, name = node.partition("::")
            here = session.config.invocation_params.dir
            node = f"{path_from(here, session.course / file)}::{name}"
        return rerun_command(session.grade, node, is_reported=is_reported)

    # --- the run ----------------------------------------------------------------------------------

    def pytest_report_header(self) -> list[str]:
        return [f"lab: tree {self._session.tree.name}", f"lab: {how_graded(self._session.grade)}"]

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
        """Return the failed reports to show: one card for each cause, the most telling first."""
        if self._session.config.getoption("verbose") > 0:
            return failed
        reports = {id(each): each for cards in self._cards.values() for each, _ in cards}
        cards = {
            task: [(id(report), verdict) for report, verdict in of_task]
            for task, of_task in self._cards.items()
        }
        shown = choose_cards(self._session.grade, cards, self._session.is_untouched)
        for each in shown:
            report = reports[each.card]
            assert isinstance(report.longrepr, _CardRepr)
            report.longrepr.stands_for = each.rows
            # pytest writes this as the heading of a failure; the name is in the command below.
            report.location = (*report.location[:2], report.longrepr.take_title())
        ours = iter([reports[each.card] for each in shown])
        chosen = {each.card for each in shown}
        kept = [each for each in failed if id(each) not in reports or id(each) in chosen]
        return [next(ours) if id(each) in chosen else each for each in kept]

    def _show_grade(self, terminal: pytest.TerminalReporter) -> None:
        session, grade = self._session, self._session.grade
        if grade.results and session.grades:
            terminal.write_sep("=", f"{session.syllabus.title}: {session.tree.name}")
            failed = [verdict for of_task in self._cards.values() for _, verdict in of_task]
            problems = problem_lines(session.course, session.tree, failed)
            begun = not_begun_lines(grade, session.course, session.tree, session.is_untouched)
            for line in [*problems, *begun, *grade_lines(grade), *session.isolation.notes]:
                terminal.write_line(line)
        for line in self._conclusion.told:
            terminal.write_line(sanitize(line))
        if grade.results and session.grades and session.tree.name == TREES[0] and not grade.ended:
            here = session.config.invocation_params.dir
            points = {task: score(grade.results_of(task)) for task in grade.tasks}
            if line := next_line(session.course, here, session.syllabus, points):
                terminal.write_line(line)


class _CardRepr(TerminalRepr):
    """A card on the terminal, in colour where that has it.

    Attributes:
        stands_for: rows about other cards that are not shown.
    """

    def __init__(self, card: str) -> None:
        self._title, *self._blocks, self._again = card.split("\n\n")
        self._is_dense = False
        self.stands_for: list[str] = []

    def take_title(self) -> str:
        """Return the title in one line; the card shows it no more, nor any empty row."""
        self._is_dense = True
        return " ".join(self._title.split())

    def toterminal(self, tw: TerminalWriter) -> None:
        if not self._is_dense:
            tw.line(self._title, bold=True)
        for number, block in enumerate(self._blocks):
            if not self._is_dense:
                tw.line()
            for row in block.split("\n"):
                if number == 0:
                    # The first block is the sentence, with the hint under it.
                    tw.line(row, **({"cyan": True} if row.startswith("Hint: ") else {"red": True}))
                else:
                    tw.line(row, bold=row.startswith(" >> "))
        if not self._is_dense:
            tw.line()
        for row in self.stands_for:
            tw.line(row)
        tw.line(self._again)
