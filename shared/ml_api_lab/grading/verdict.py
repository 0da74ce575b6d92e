"""The verdict on one check of one submission: how it ended, and what is told about it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ml_api_lab.course.catalog import Check
from ml_api_lab.errors import (
    RAISED,
    CourseError,
    Dead,
    HarnessError,
    Hinted,
    NotThere,
    StartFailed,
    SubmissionFault,
    Untimed,
)
from ml_api_lab.grading.card import card, hint_of, message_of
from ml_api_lab.lab_time import NO_TIME, Span
from ml_api_lab.protocol.messages import ClockName
from ml_api_lab.sandbox.transcript import Transcript

_ADDRESS = re.compile("0x[0-9a-f]+")


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
    """

    check: Check
    error: BaseException | None = None
    transcript: Transcript | None = None
    lab_time: Span = NO_TIME
    real_seconds: float = 0.0
    skipped: bool = False
    had_room: bool = True
    clock: ClockName = "lab"

    @property
    def passed(self) -> bool:
        return self.error is None and not self.skipped

    @property
    def stands(self) -> bool:
        """Whether it would be the same at any other time: a neighbour cannot have changed it.

        In lab time an assertion is exact. The wall clock, the end of a process, the budget, a full
        disk and the harness are another matter: what fails by them counts once it has failed alone.
        """
        if self.passed:
            return True
        told = isinstance(self.error, AssertionError | SubmissionFault)
        is_own = told and not isinstance(self.error, Dead)
        return self.clock == "lab" and is_own and self.had_room

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

    def card(self, command: str) -> str:
        """Return the card of a failure.

        Args:
            command: runs this check again.
        """
        return card(
            self.check,
            self.message,
            self.transcript,
            command,
            hint=self.hint,
            is_lab_time=self.clock == "lab",
        )

    @property
    def hint(self) -> str:
        """The hint on the card of a failure, "" if none would help."""
        return hint_of(self.check, self.error)

    @property
    def cause(self) -> str:
        """What keeps a task's other checks from their questions as well, "" if nothing does."""
        if isinstance(self.error, NotThere | StartFailed):
            return _ADDRESS.sub("0x", str(self.error))
        if isinstance(self.error, Untimed):
            return str(self.error).partition(": ")[2]  # before it stands what the check was at
        raised = isinstance(self.error, Hinted) and self.error.hint == RAISED
        if raised and self.transcript is not None and self.transcript.raised:
            last = self.transcript.raised[-1]
            return _ADDRESS.sub("0x", f"{last} {last.frames[-1:]}")
        return ""
