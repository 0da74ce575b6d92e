"""What a check may import.

The rest comes as fixtures: `task` (:class:`shared.task.Task`) and `clock`
(:class:`shared.clock.Clock`).
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from shared.errors import Hinted, StartFailed, SubmissionFault
from shared.host.standin import FAILS
from shared.moment import Span, milliseconds, seconds, time_of_day
from shared.points import on_the_wall_clock, points
from shared.source import parse

if TYPE_CHECKING:
    from shared.clock import Clock
    from shared.process import Process, free_port, other_address
    from shared.task import Run, Task
    from shared.transcript import Line
    from shared.transport import answered_at, took

__all__ = [
    "FAILS",
    "Clock",
    "Hinted",
    "Line",
    "Process",
    "Run",
    "Span",
    "StartFailed",
    "SubmissionFault",
    "Task",
    "answered_at",
    "free_port",
    "milliseconds",
    "on_the_wall_clock",
    "other_address",
    "parse",
    "points",
    "seconds",
    "time_of_day",
    "took",
]

# Loaded when a check asks for them: httpx alone takes a tenth of a second.
_LATE = {
    "Clock": "shared.clock",
    "Line": "shared.transcript",
    "Process": "shared.process",
    "Run": "shared.task",
    "Task": "shared.task",
    "answered_at": "shared.transport",
    "free_port": "shared.process",
    "other_address": "shared.process",
    "took": "shared.transport",
}


def __getattr__(name: str) -> object:
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_LATE[name]), name)
