"""Hints: which one a failed check shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from ml_api_lab.course.catalog import Check
from ml_api_lab.errors import Hinted, Late, Stopped
from ml_api_lab.grading.hint import NOT_WRITTEN, hint_of
from ml_api_lab.grading.verdict import Verdict
from ml_api_lab.lab_time import Span
from ml_api_lab.sandbox.transcript import Line, Raised, Transcript

CHECK = Check(
    task="task_0_1", file="test_a.py", name="test_a", title="A title.", points=1, hint="Why?"
)


@pytest.mark.parametrize(
    ("line", "raised", "hint"),
    [
        ("", "NotImplementedError", NOT_WRITTEN),
        ("a.py:1: RuntimeWarning: coroutine 'cook' was never awaited", "", "cook(...) alone"),
        ("", "", "Why?"),
    ],
)
def test_the_hint_follows_from_what_happened(line: str, raised: str, hint: str) -> None:
    transcript = Transcript(Path(), Path(), "exercises/task_0_1")
    if line:
        transcript.lines = [Line(line, Span(0))]
    if raised:
        transcript.raised = [Raised(raised, "", (), "run", 0, Span(0))]
    assert hint_of(CHECK, AssertionError("It is wrong."), transcript).startswith(hint)


def test_a_coroutine_that_nobody_awaits_comes_before_what_a_check_asks() -> None:
    transcript = Transcript(Path(), Path(), "exercises/task_0_1")
    warning = "a.py:1: RuntimeWarning: coroutine 'cook' was never awaited"
    transcript.lines = [Line(warning, Span(0))]
    for error in (AssertionError("It took 0 s."), Hinted("It printed nothing.", "Which line?")):
        assert hint_of(CHECK, error, transcript).startswith("cook(...) alone")
        # So one card is enough for both.
        verdict = Verdict(check=CHECK, error=error, transcript=transcript)
        assert "cook was never awaited" in verdict.causes
    transcript.lines = []
    assert hint_of(CHECK, Hinted("It printed nothing.", "Which line?"), transcript) == "Which line?"


def test_a_late_submission_is_asked_for_its_line() -> None:
    assert "that line" in hint_of(CHECK, Late("It is late (at main.py:3).", "main.py cook"))
    assert hint_of(CHECK, Late("It is late.")) == ""


def test_an_exception_that_was_only_printed_has_the_hint_of_its_kind() -> None:
    transcript = Transcript(Path(), Path(), "exercises/task_0_1")
    transcript.lines = [Line("KeyError: 'HOST'", Span(0)), Line("INFO: over", Span(0))]
    assert "Which keys are there" in hint_of(CHECK, Hinted("It raised KeyError."), transcript)


def test_breakpoint_without_a_terminal_is_told() -> None:
    transcript = Transcript(Path(), Path(), "exercises/task_0_1")
    text = "breakpoint() needs the terminal: run pytest with -s"
    transcript.raised = [Raised("RuntimeError", text, (), "run", 0, Span(0))]
    assert "run pytest with -s" in hint_of(CHECK, Stopped(text), transcript)
