"""The verdict on one task of one submission: what each of its checks came to."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

FORMAT = 1
"""The format of kept verdicts. Another one makes all of them be graded anew."""


@dataclass(frozen=True)
class CheckVerdict:
    """How one check ended.

    Attributes:
        id: the check's id, as in every report.
        passed: whether it earned its points.
        points: what it earned.
        maximum: what it could have earned.
        message: what was seen against what is right, "" for a pass.
        card: the whole card, "" for a pass.
        hint: the hint on that card.
        lab_time: how far the lab clock went, in nanoseconds; 0 on the wall clock, which repeats
            nothing exactly.
        is_doubtful: whether it failed by what another run may not repeat (the wall clock, the end
            of a process, the budget), and so counts for this submission alone.
    """

    id: str
    title: str
    passed: bool
    points: int
    maximum: int
    message: str = ""
    card: str = ""
    hint: str = ""
    lab_time: int = 0
    is_doubtful: bool = False


@dataclass(frozen=True)
class TaskVerdict:
    """How all checks of a task ended."""

    task: str
    checks: tuple[CheckVerdict, ...]

    @property
    def score(self) -> int:
        return sum(check.points for check in self.checks)

    @property
    def maximum(self) -> int:
        return sum(check.maximum for check in self.checks)

    @property
    def is_doubtful(self) -> bool:
        """Whether it must not be taken for another submission with the same files."""
        return any(check.is_doubtful for check in self.checks)

    def in_sum(self) -> TaskVerdict:
        """Return a verdict of the same points, with one check in place of all."""
        has_passed = all(check.passed for check in self.checks)
        return TaskVerdict(self.task, (CheckVerdict("", "", has_passed, self.score, self.maximum),))

    def to_json(self) -> str:
        """Return it as text, the same for the same verdict."""
        return json.dumps({"task": self.task, "checks": [asdict(each) for each in self.checks]})

    @staticmethod
    def from_json(text: str) -> TaskVerdict:
        """Return the verdict that was written so."""
        content = json.loads(text)
        return TaskVerdict(
            content["task"], tuple(CheckVerdict(**each) for each in content["checks"])
        )


def outcomes(verdicts: Sequence[TaskVerdict]) -> dict[str, tuple[bool, int]]:
    """Return what two gradings of the same must agree in: each check's outcome and points."""
    return {check.id: (check.passed, check.points) for each in verdicts for check in each.checks}
