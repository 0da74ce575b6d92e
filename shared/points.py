"""What a check is worth: the `points` decorator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import pytest

F = TypeVar("F", bound=Callable[..., Any])

on_the_wall_clock = pytest.mark.on_the_wall_clock
"""Mark a check that talks to a real process: it runs on the wall clock whatever was chosen."""


def points(number: int, *, hint: str) -> Callable[[F], F]:
    """Make a test a check that is worth this many points.

    The numbers of a task's checks add up to 10. They are read from the source, not from the
    running module (see :mod:`shared.catalog`), so that no crash can make points vanish: write
    both arguments as literals, and give the test a docstring, its title.

    Args:
        number: whole points, 1 or more.
        hint: a question or a pointer for whoever fails it; it does not give the answer away.
    """
    if number < 1 or not hint:
        raise ValueError("a check has at least 1 point, and a hint")

    def mark(check: F) -> F:
        return check

    return mark
