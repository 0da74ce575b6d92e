"""Item statistics: how a check, or a task, did in the class.

They are taken over those who began with the task: whoever handed it in as it was handed out tells
nothing about a check, and would make each check agree with every other.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Item:
    """One check's statistics.

    Attributes:
        began: how many had begun with its task, which all else is about.
        passed: how many of them earned all its points.
        mean: their points, 0 if nobody began.
        rest_correlation: the correlation of its points with all other points of the same student
            (Pearson's r, corrected: the item itself is left out of the total); None where it is
            not defined, since fewer than three began or all of them have the same points.
    """

    began: int
    passed: int
    mean: float
    rest_correlation: float | None

    @property
    def note(self) -> str:
        """What an author should look at, "" for nothing."""
        if not self.began:
            return "nobody has begun"
        if self.passed == 0:
            return "nobody passed this"
        return "nobody failed this" if self.passed == self.began else ""


def item(points: Sequence[int], totals: Sequence[int], maximum: int) -> Item:
    """Return the statistics of one item.

    Args:
        points: what each who began earned in it.
        totals: what each of them earned in all, the item included; in the same order.
        maximum: what could be earned.
    """
    rests = [total - own for own, total in zip(points, totals, strict=True)]
    return Item(
        len(points),
        sum(own == maximum for own in points),
        sum(points) / len(points) if points else 0.0,
        correlation(points, rests),
    )


def mean_known(numbers: Iterable[int]) -> float | None:
    """Return the mean of the numbers that are known, which are not 0; None if none is."""
    known = [number for number in numbers if number]
    return sum(known) / len(known) if known else None


def correlation(first: Sequence[int], second: Sequence[int]) -> float | None:
    """Return Pearson's correlation; None if it is not defined, or of fewer than three pairs."""
    number = len(first)
    if number < 3:
        return None
    # Whole numbers, so that equal points have no variance at all, and not nearly none.
    sum_1, sum_2 = sum(first), sum(second)
    squares_1 = number * sum(each * each for each in first) - sum_1 * sum_1
    squares_2 = number * sum(each * each for each in second) - sum_2 * sum_2
    if not squares_1 or not squares_2:
        return None
    products = number * sum(a * b for a, b in zip(first, second, strict=True)) - sum_1 * sum_2
    return products / math.sqrt(squares_1 * squares_2)
