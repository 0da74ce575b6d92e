"""What the engine of one machine and its workers say to each other, beside units and answers."""

from __future__ import annotations

from dataclasses import dataclass

from ml_api_class.grading.unit import Settings


@dataclass(frozen=True)
class Begin:
    """The first message to a worker.

    Attributes:
        scratch: its own folder for all temporary files; removed when it ends.
    """

    settings: Settings
    scratch: str


@dataclass(frozen=True)
class Ready:
    """The worker's first message: it can grade, or cannot and says why."""

    problem: str = ""


@dataclass(frozen=True)
class Progress:
    """How many checks of a unit are done."""

    done: int
    number: int
