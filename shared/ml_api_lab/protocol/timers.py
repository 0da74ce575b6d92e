"""Timers that fire in the order in which they were set, where they are due at the same moment.

On the wall clock two timers are never due at quite the same moment: the one set first fires first.
In lab time they often are, and asyncio's heap would then pick either.
"""

from __future__ import annotations

import asyncio
import itertools
import math
from typing import Any

_numbers = itertools.count()


class OrderedTimer(asyncio.TimerHandle):
    """asyncio's handle of a timer, sorted by the nanosecond and then by age."""

    __slots__ = ("_place",)

    def __init__(self, when: float, *rest: Any) -> None:
        super().__init__(when, *rest)
        # Not all are finite: anyio sleeps forever until infinity.
        self._place = (when if when == math.inf else round(when * 1_000_000_000), next(_numbers))

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, OrderedTimer):
            return NotImplemented
        return self._place < other._place
