"""What a check may import.

The rest comes as fixtures: `task` (:class:`ml_api_lab.task.Task`) and `clock`
(:class:`ml_api_lab.sandbox.clock.Clock`).
"""

from __future__ import annotations

from ml_api_lab.course.catalog import on_the_wall_clock, parse, points, scikit_learn
from ml_api_lab.errors import Conclusive, Hinted, Late, NoPort, StartFailed, SubmissionFault
from ml_api_lab.lab_time import Span, milliseconds, seconds, time_of_day
from ml_api_lab.protocol.link import checker
from ml_api_lab.protocol.stand_in import FAILS
from ml_api_lab.sandbox.clock import Clock
from ml_api_lab.sandbox.files.state import State
from ml_api_lab.sandbox.http_client import answered_at, took
from ml_api_lab.sandbox.models import Call
from ml_api_lab.sandbox.real_process import Process, free_port, other_address
from ml_api_lab.sandbox.responses import ACCEPTED_ENCODINGS, bounded_response
from ml_api_lab.sandbox.runs import Run
from ml_api_lab.sandbox.transcript import Line
from ml_api_lab.task import Task

__all__ = [
    "ACCEPTED_ENCODINGS",
    "FAILS",
    "Call",
    "Clock",
    "Conclusive",
    "Hinted",
    "Late",
    "Line",
    "NoPort",
    "Process",
    "Run",
    "Span",
    "StartFailed",
    "State",
    "SubmissionFault",
    "Task",
    "answered_at",
    "bounded_response",
    "checker",
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
