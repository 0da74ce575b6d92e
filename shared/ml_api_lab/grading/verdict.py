"""The verdict on one check of one submission: how it ended, and what is told about it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ml_api_lab.course.catalog import Check
from ml_api_lab.errors import (
    RAISED,
    Conclusive,
    CourseError,
    Dead,
    HarnessError,
    Hinted,
    NoPort,
    NotThere,
    StartFailed,
    Stopped,
    SubmissionFault,
)
from ml_api_lab.grading.card import COLUMNS, card, message_of
from ml_api_lab.grading.hint import hint_of, never_awaited
from ml_api_lab.grading.timeline import TimeLine, of_transcript
from ml_api_lab.lab_time import NO_TIME, Span
from ml_api_lab.protocol.messages import ClockName
from ml_api_lab.sandbox.models import NAMES
from ml_api_lab.sandbox.transcript import Frame, Raised, Transcript

_MAX_NESTING = 3
_OBJECT = re.compile(r"\{[^{}]*\}")
_LIST = re.compile(r"#(?:, #)+")
_VARYING = re.compile(
    rf"{'|'.join(NAMES)}|"
    r"0x[0-9a-f]+|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|-?\d+(?:\.\d+)*"
)


def without_draws(text: str) -> str:
    """Return the text without numbers, ids, JSON objects and the names of models."""
    for _ in range(_MAX_NESTING):
        text = _OBJECT.sub("#", text)
    return _LIST.sub("#", _VARYING.sub("#", text))


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """How a check has ended.

    Attributes:
        error: what it raised; None for a pass, and for what pytest skipped.
        transcript: what happened; None if it never began.
        lab_time: how far its clock went.
        real_seconds: how long it took.
        skipped: whether pytest was told to skip it.
        had_room: whether there was room left where its files lie.
        clock: "lab", or "real" if it talked to a real process or was asked to.
        has_run: whether anything of the submission was run, and not only read.
    """

    check: Check
    error: BaseException | None = None
    transcript: Transcript | None = None
    lab_time: Span = NO_TIME
    real_seconds: float = 0.0
    skipped: bool = False
    had_room: bool = True
    clock: ClockName = "lab"
    has_run: bool = True

    @property
    def passed(self) -> bool:
        return self.error is None and not self.skipped

    @property
    def is_conclusive(self) -> bool:
        """Whether it would be the same at any other time: a neighbour cannot have changed it.

        In lab time an assertion is exact. The wall clock, the end of a process, the budget, a full
        disk and the harness are another matter: what fails by them counts once it has failed alone.
        What was only read, as a Dockerfile without a start command, is the same on either clock,
        and so is a program that has come to its end, or that waits and does not end.
        """
        if self.passed:
            return True
        told = isinstance(self.error, AssertionError | SubmissionFault)
        is_own = told and not isinstance(self.error, Dead)
        is_sure = isinstance(self.error, Conclusive)
        is_exact = self.clock == "lab" or not self.has_run or is_sure
        return is_exact and is_own and self.had_room

    @property
    def may_lack_a_port(self) -> bool:
        """Whether another server may have had the port that a submission's wanted."""
        return isinstance(self.error, NoPort)

    @property
    def harness_failed(self) -> bool:
        return isinstance(self.error, HarnessError | CourseError)

    @property
    def is_absent(self) -> bool:
        """Whether the task's folder is not there, or cannot be used: no check of it could begin."""
        return isinstance(self.error, NotThere) and self.transcript is None

    @property
    def message(self) -> str:
        """What was seen against what is right, in a sentence; "" for a pass."""
        return "" if self.passed else message_of(self.error, skipped=self.skipped)

    def card(self, command: str, *, columns: int = COLUMNS, is_whole: bool = False) -> str:
        """Return the card of a failure.

        Args:
            command: runs this check again.
            columns: the terminal's width.
            is_whole: whether what the sentence does not speak of is shown as well.
        """
        return card(
            self.check,
            self.message,
            self.transcript,
            command,
            hint=self.hint,
            is_lab_time=self.clock == "lab",
            columns=columns,
            is_whole=is_whole,
        )

    @property
    def hint(self) -> str:
        """The hint on the card of a failure, "" if none would help."""
        return hint_of(self.check, self.error, self.transcript)

    @property
    def timeline(self) -> TimeLine | None:
        """What happened when; None if nothing did that could be drawn."""
        if self.transcript is None:
            return None
        times = "lab time" if self.clock == "lab" else "on the wall clock"
        line = of_transcript(self.transcript, f"What happened when, {times}")
        return line if line.lanes else None

    @property
    def causes(self) -> frozenset[str]:
        """What it failed by, so that checks of a task which failed by the same share one card.

        The sentence, without what is drawn anew for each check; the exception with its line, if
        that is what stopped the check; and the coroutine that nobody has awaited, if the hint is
        about one.
        """
        if self.passed:
            return frozenset()
        found = {without_draws(self.message)}
        last = self._raised
        if last is not None:
            found.add(without_draws(f"{last} {last.frames[-1:]}"))
        name = never_awaited(self.transcript)
        if name and self.hint.startswith(f"{name}(...) "):
            found.add(f"{name} was never awaited")
        return frozenset(found)

    @property
    def rank(self) -> int:
        """How little it tells: 0 a failed start, 1 an exception, 2 a sentence, 3 a lost process."""
        if isinstance(self.error, NotThere | StartFailed):
            return 0
        if self._raised is not None:
            return 1
        return 3 if isinstance(self.error, Dead) else 2

    @property
    def last_frame(self) -> Frame | None:
        """The submission's line that raised what stopped the check, None if there is none."""
        raised = self._raised
        return raised.frames[-1] if raised is not None and raised.frames else None

    @property
    def _raised(self) -> Raised | None:
        """The exception that stopped the check, None if it is another matter."""
        if self.transcript is None or not self.transcript.raised:
            return None
        last = self.transcript.raised[-1]
        by_it = isinstance(self.error, StartFailed | Stopped)
        by_it |= isinstance(self.error, Hinted) and self.error.hint == RAISED
        by_it |= last.type in self.message or re.search(r"\b500\b", self.message) is not None
        return last if by_it else None
