"""The end of a run: its exit status, and the reports, whatever has ended it."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from ml_api_lab.course.tree import TREES
from ml_api_lab.exit_status import ExitStatus
from ml_api_lab.grading import grade as grades
from ml_api_lab.grading import reports
from ml_api_lab.grading.reports import Report
from ml_api_lab.progress.record import record
from ml_api_lab.session import signals
from ml_api_lab.session.session import Session
from ml_api_lab.trials import trusted


class Conclusion:
    """Closes the grade and writes it down.

    Attributes:
        told: what became of each report, in sentences.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._watch: trusted.Watch | None = None
        self.told: list[str] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_finish(self) -> None:
        """Before the first check runs, load what is trusted, and see from then on what changes."""
        if self._session.grades:
            trusted.load()
            self._watch = trusted.Watch(self._session.course, self._session.isolation.tier)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None]:
        """Close the grade and write the reports, before anything that could keep us from it.

        From here on no signal ends the run: what is left is to end the processes.
        """
        if self._session.grades:
            signals.ignore()
            self._conclude(session)
        return (yield)

    def _conclude(self, session: pytest.Session) -> None:
        grade, status = self._session.grade, session.exitstatus
        if status == pytest.ExitCode.USAGE_ERROR:
            return
        if grade.harness_failed or status == pytest.ExitCode.INTERNAL_ERROR:
            grade.ended = grades.HARNESS_FAILED
            session.exitstatus = ExitStatus.HARNESS_FAILED
        elif status == pytest.ExitCode.INTERRUPTED:
            grade.ended = grades.INTERRUPTED
        elif not grade.results:
            grade.ended = grades.NOTHING
        elif any(each.outcome == grades.Outcome.NOT_RUN for each in grade.results.values()):
            grade.ended = grades.STOPPED
        if session.exitstatus == ExitStatus.ALL_POINTS and grade.missing:
            session.exitstatus = ExitStatus.POINTS_MISSING
        if self._watch is not None and (changes := self._watch.changes()):
            grade.warnings.append(trusted.sentence(changes))
        if self._session.tree.name == TREES[0]:
            record(self._session.course, grade, self._session.digests, "pytest")
        for report in self._session.reports:
            self._write(session, report)

    def _write(self, session: pytest.Session, report: Report) -> None:
        try:
            reports.write(self._session.grade, report)
        except Exception as error:  # the other reports are to be written all the same
            session.exitstatus = ExitStatus.HARNESS_FAILED
            self.told.append(
                f"The {report.format} report was not written to {report.file}: "
                f"{type(error).__name__}: {error}"
            )
        else:
            self.told.append(f"The {report.format} report is in {report.file}")
