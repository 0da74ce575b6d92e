"""The seam between what decides what is graded and what grades it.

It is shaped like :class:`concurrent.futures.Executor`: a unit goes in, a future of its answer comes
out, and any engine may grade a unit more than once, since a grade is written by its key.
"""

from __future__ import annotations

from concurrent.futures import Future
from typing import Protocol

from ml_api_class.grading.unit import Answer, Unit


class Engine(Protocol):
    """Grades units.

    Attributes:
        capacity: how many units it can have at work at a time.
    """

    @property
    def capacity(self) -> int: ...

    def submit(self, unit: Unit) -> Future[Answer]:
        """Begin to grade a unit.

        Returns:
            a future whose result is the answer; it raises `WorkerEnded` if the worker ended first.
        """

    def progress(self) -> list[str]:
        """Return what each worker is at, in a few words."""

    def close(self) -> None:
        """End all that is at work."""
