"""An editor's debugger: where it attaches to the submissions of a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Debugger:
    """What is known of it on the checks' side.

    Attributes:
        port: where each submission waits for it, on this machine only.
        announce: is told the port when a submission has begun to wait there.
    """

    port: int
    announce: Callable[[int], None]
