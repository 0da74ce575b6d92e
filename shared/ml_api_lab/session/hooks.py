"""The parts of a session that pytest calls, put together."""

from __future__ import annotations

import pytest

from ml_api_lab.grading import reports
from ml_api_lab.session.collection import Collection
from ml_api_lab.session.conclusion import Conclusion
from ml_api_lab.session.schedule import Schedule
from ml_api_lab.session.session import Session, runs_checks
from ml_api_lab.session.terminal import Reporting


def delete_old_reports(config: pytest.Config) -> None:
    """Remove the reports of an earlier run: one that is refused has no grade either."""
    if runs_checks(config):
        reports.delete_old_reports(config.getoption("report"))


def register(session: Session) -> None:
    """Have pytest call the parts of a session."""
    conclusion, schedule = Conclusion(session), Schedule(session)
    parts = [Collection(session), schedule, conclusion, Reporting(session, conclusion)]
    for part in parts:
        session.config.pluginmanager.register(part, f"lab-{type(part).__name__.lower()}")
    session.config.add_cleanup(schedule.end)
