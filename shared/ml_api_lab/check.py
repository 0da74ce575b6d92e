"""What a check may import.

The rest comes as fixtures: `task` (:class:`ml_api_lab.task.Task`) and `clock`
(:class:`ml_api_lab.sandbox.clock.Clock`).
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from ml_api_lab.course.catalog import on_the_wall_clock, parse, points, scikit_learn
from ml_api_lab.errors import Hinted, StartFailed, SubmissionFault
from ml_api_lab.lab_time import Span, milliseconds, seconds, time_of_day
from ml_api_lab.protocol.stand_in import FAILS

if TYPE_CHECKING:
    from ml_api_lab.sandbox.clock import Clock
    from ml_api_lab.sandbox.process import Process, free_port, other_address
    from ml_api_lab.sandbox.transcript import Line
    from ml_api_lab.sandbox.transport import answered_at, took
    from ml_api_lab.task import Run, Task

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
    "scikit_learn",
    "seconds",
    "time_of_day",
    "took",
]

# Loaded when a check asks for them: httpx alone takes a tenth of a second.
_LATE = {
    "Clock": "ml_api_lab.sandbox.clock",
    "Line": "ml_api_lab.sandbox.transcript",
    "Process": "ml_api_lab.sandbox.process",
    "Run": "ml_api_lab.task",
    "Task": "ml_api_lab.task",
    "answered_at": "ml_api_lab.sandbox.transport",
    "free_port": "ml_api_lab.sandbox.process",
    "other_address": "ml_api_lab.sandbox.process",
    "took": "ml_api_lab.sandbox.transport",
}


def __getattr__(name: str) -> object:
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_LATE[name]), name)
