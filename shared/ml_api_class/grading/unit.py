"""The unit of work: some tasks of one submission, and what comes back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ml_api_class.verdict import TaskVerdict
from ml_api_lab.protocol.confinement import Tier

Report = Callable[[int, int], None]
"""Is told how many checks of how many of a unit are done."""


@dataclass(frozen=True)
class Settings:
    """What is the same for all units of a run.

    Attributes:
        course: the root of the course on the machine that grades.
        tasks: the tasks of the run.
        tier: the tier of isolation.
        seed: what the draws begin with.
        memory: how much memory each process of a submission may have, in MB; 0 for no limit.
    """

    course: Path
    tasks: tuple[str, ...]
    tier: Tier
    seed: int
    memory: int


@dataclass(frozen=True)
class Unit:
    """Some tasks of one submission.

    Attributes:
        submission: whose they are.
        tasks: the tasks, each with its packed files.
    """

    submission: str
    tasks: tuple[tuple[str, bytes], ...]


@dataclass(frozen=True)
class Answer:
    """What grading a unit came to.

    Attributes:
        verdicts: of each of its tasks; none if the harness failed.
        harness_problem: how the harness failed, in a sentence; "" if it did not.
    """

    verdicts: tuple[TaskVerdict, ...] = ()
    harness_problem: str = ""
