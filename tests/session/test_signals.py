"""Runs that a signal ends: graded so far, or gone without a report."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from ml_api_lab.grading.grade import Outcome
from ml_api_lab.session import signals
from tests.support import graded
from tests.support.graded import ON_WINDOWS
from tests.support.grades import (
    said_by_all,
)
from tests.support.readings import Reading
from tests.support.toy import LIMIT


@pytest.mark.skipif(ON_WINDOWS, reason="needs POSIX signals")
@pytest.mark.parametrize(
    ("end", "waits", "clock"),
    [
        ("SIGINT", "while True: pass", "lab"),
        ("SIGTERM", "while True: pass", "lab"),
        ("SIGHUP", "while True: pass", "lab"),
        ("SIGTERM", "import select; select.select([], [], [])", "lab"),
        ("SIGINT", "import time; time.sleep(10 ** 6)", "real"),
    ],
)
def test_interrupted_runs_agree(end: str, waits: str, clock: str, tmp_path: Path) -> None:
    """The signal comes when the checks before are reported, and the next one never ends."""
    # On the wall clock checks go one after the other, the first of each task before any second.
    last_before, score, passed = ("test_greets", 4, 1) if clock == "real" else ("test_waits", 10, 2)
    outcomes: dict[str, int] = {Outcome.PASSED: passed, Outcome.NOT_RUN: 4 - passed}
    expected = Reading(score, graded.MAXIMUM, outcomes)
    course, sign = graded.build(tmp_path / "course"), tmp_path / "sign"
    (course / "checks" / "conftest.py").write_text(
        "import pathlib\n"
        "def pytest_runtest_logfinish(nodeid):\n"
        f"    if {last_before!r} in nodeid: pathlib.Path({str(sign)!r}).touch()\n"
    )
    ran = graded.grade(
        course,
        graded.submit(tmp_path / "tree", task_0_2=waits),
        tmp_path / "reports",
        f"--clock={clock}",
        f"--budget={LIMIT}",
        end=signal.Signals[end],
        sign=sign,
    )
    assert said_by_all(ran) == expected
    assert ran.status == 2


@pytest.mark.skipif(ON_WINDOWS, reason="needs POSIX signals")
def test_a_killed_run_leaves_no_report_not_even_an_old_one(
    small_course: Path, tmp_path: Path
) -> None:
    sign = tmp_path / "sign"
    looping = f"open({str(sign)!r}, 'w').close()\nwhile True: pass"
    tree = graded.submit(tmp_path / "tree", task_0_2=looping)
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "json.out").write_text('{"score": 30}')
    reports = tmp_path / "reports"
    options = ["--isolation=none"]  # so that the submission can tell that it runs
    graded.grade(small_course, tree, reports, *options, end=signal.SIGKILL, sign=sign)
    assert list((tmp_path / "reports").iterdir()) == []


@pytest.mark.skipif(ON_WINDOWS, reason="needs POSIX signals")
def test_a_signal_that_comes_twice_at_once_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 5.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    monkeypatch.setattr(signals, "_before", {})  # not this run's own
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        signals.hear()
        with pytest.raises(KeyboardInterrupt, match="ended by SIGTERM"):
            signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)
        now = 7.0
        with pytest.raises(KeyboardInterrupt, match="ended by SIGTERM"):
            signal.raise_signal(signal.SIGTERM)
    finally:
        signals.restore()
        signal.signal(signal.SIGTERM, before)
