"""What a check may import.

The rest comes as fixtures: `task` (:class:`shared.task.Task`) and `clock`
(:class:`shared.clock.Clock`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.errors import StartFailed, SubmissionFault
from shared.moment import Span, milliseconds, seconds, time_of_day
from shared.points import on_the_wall_clock, points

if TYPE_CHECKING:
    from shared.clock import Clock
    from shared.task import Run, Task
    from shared.transport import answered_at, took

__all__ = [
    "Clock",
    "Run",
    "Span",
    "StartFailed",
    "SubmissionFault",
    "Task",
    "answered_at",
    "milliseconds",
    "on_the_wall_clock",
    "points",
    "seconds",
    "time_of_day",
    "took",
]


def __getattr__(name: str) -> object:
    # httpx takes a tenth of a second to import, which checks of scripts need not wait for.
    if name in ("answered_at", "took"):
        from shared import transport

        return getattr(transport, name)
    if name == "Clock":
        from shared.clock import Clock

        return Clock
    if name in ("Run", "Task"):
        from shared import task

        return getattr(task, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
