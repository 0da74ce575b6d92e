"""The processor's time where lab time goes on: the same in each run, however fast the machine is.

What a program computes takes no lab time. If its processor time stood still, a loop that waits for
some of it to pass would never end: so each look at it counts as a microsecond.
"""

from __future__ import annotations

import itertools

_NANOSECONDS_PER_LOOK = 1000

_looks = itertools.count()


def process_time_ns() -> int:
    """`time.process_time_ns`, and `time.thread_time_ns`: how often anybody has looked so far."""
    return next(_looks) * _NANOSECONDS_PER_LOOK


def process_time() -> float:
    """`time.process_time`, and `time.thread_time`."""
    return process_time_ns() / 1e9
