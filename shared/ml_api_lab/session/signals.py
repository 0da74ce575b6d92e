"""The signals that end a run: heard at once, and not while the reports are being written."""

from __future__ import annotations

import math
import signal
import threading
import time
from types import FrameType
from typing import Any

_ENDINGS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")

_SAME_ENDING_SECONDS = 1.0

_before: dict[int, Any] = {}
"""What was done with each signal before."""


def hear() -> None:
    """Take the signals with which platforms end a run for what Ctrl-C is, and hear all at once.

    So the reports get written in the seconds that a platform leaves. asyncio would hear Ctrl-C only
    when the submission has given way.

    Who ends a process and then its whole group, as the command `timeout` does, means it once.
    """
    heard_at = -math.inf

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal heard_at
        if time.monotonic() - heard_at < _SAME_ENDING_SECONDS:
            return
        heard_at = time.monotonic()
        raise KeyboardInterrupt(f"ended by {signal.Signals(number).name}")

    for number in _endings():
        if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            _handle(number, interrupt)


def ignore() -> None:
    """Let no signal end the run from now on."""
    for number in _endings():
        _handle(number, signal.SIG_IGN)


def restore() -> None:
    """Do with each signal what was done before."""
    while _before:
        signal.signal(*_before.popitem())


def _endings() -> list[int]:
    """Return the signals that end a run; none outside the main thread, which alone hears them."""
    if threading.current_thread() is not threading.main_thread():
        return []
    return [getattr(signal, name) for name in _ENDINGS if hasattr(signal, name)]


def _handle(number: int, handler: Any) -> None:
    before = signal.signal(number, handler)
    _before.setdefault(number, before)
