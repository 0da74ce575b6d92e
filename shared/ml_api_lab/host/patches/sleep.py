"""`time.sleep` in lab time."""

from __future__ import annotations

import time

from ml_api_lab.host.clock import CLOCK

real_sleep = time.sleep


def sleep(seconds: float, /) -> None:
    """`time.sleep` in lab time."""
    if not CLOCK.is_connected:
        real_sleep(seconds)
        return
    if seconds < 0:
        raise ValueError("sleep length must be non-negative")
    CLOCK.sleep(seconds)
