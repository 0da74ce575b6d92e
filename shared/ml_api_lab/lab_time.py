"""Lengths of lab time: whole nanoseconds that read like seconds.

>>> seconds(3) + milliseconds(500)
3.5 s
"""

from __future__ import annotations

NS = 1_000_000_000
"""Nanoseconds in a second."""

DAY_BEGINS = 9 * 3600
"""Seconds from midnight to the hour when the lab's day begins."""

BUDGET_SECONDS = 20.0
"""The real time that a check may take, unless a run is told another."""


class Span(int):
    """A length of time in nanoseconds. Compares and adds as the whole number it is."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"{self / NS:.6f}".rstrip("0").rstrip(".") + " s"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def __add__(self, other: int) -> Span:
        return type(self)(int(self) + other)

    def __sub__(self, other: int) -> Span:
        return type(self)(int(self) - other)


NO_TIME = Span(0)


def seconds(number: float) -> Span:
    """Return a length of time given in seconds."""
    return Span(round(number * NS))


def milliseconds(number: float) -> Span:
    """Return a length of time given in milliseconds."""
    return seconds(number / 1000)


def time_of_day(moment: int) -> str:
    """Return a moment of the lab's day as the clock on its wall shows it, to the millisecond."""
    total, rest = divmod(moment // 1_000_000, 1000)
    total += DAY_BEGINS
    shown = f"{total // 3600 % 24:02}:{total // 60 % 60:02}:{total % 60:02}"
    return f"{shown}.{rest:03}" if rest else shown


class RoughSpan(Span):
    """A length measured on the wall clock: equal to what lies within the tolerance of it."""

    __slots__ = ()
    TOLERANCE = NS * 2 // 5

    def __eq__(self, other: object) -> bool:
        return isinstance(other, int) and abs(int(self) - other) <= self.TOLERANCE

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __lt__(self, other: int) -> bool:
        return int(self) - other < -self.TOLERANCE

    def __le__(self, other: int) -> bool:
        return int(self) - other <= self.TOLERANCE

    def __gt__(self, other: int) -> bool:
        return int(self) - other > self.TOLERANCE

    def __ge__(self, other: int) -> bool:
        return int(self) - other >= -self.TOLERANCE

    __hash__ = Span.__hash__
