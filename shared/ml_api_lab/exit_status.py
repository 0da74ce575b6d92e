"""The exit statuses of a run: pytest's own numbers, whichever program grades."""

from __future__ import annotations

from enum import IntEnum


class ExitStatus(IntEnum):
    """How a run ended.

    Attributes:
        HARNESS_FAILED: the grade is not to be relied on.
        USAGE_ERROR: the command, the course's own files or the environment are wrong.
    """

    ALL_POINTS = 0
    POINTS_MISSING = 1
    INTERRUPTED = 2
    HARNESS_FAILED = 3
    USAGE_ERROR = 4
    NOTHING_SELECTED = 5
