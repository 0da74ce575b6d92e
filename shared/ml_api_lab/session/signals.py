"""The signals that end a run: heard at once, and not while the reports are being written."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import Any

_ENDINGS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")


def hear(at_the_end: Callable[[Callable[[], None]], object]) -> None:
    """Take the signals with which platforms end a run for what Ctrl-C is, and hear all at once.

    So the reports get written in the seconds that a platform leaves. asyncio would hear Ctrl-C only
    when the submission has given way.

    Args:
        at_the_end: takes what is to be done when the run has ended.
    """
    if threading.current_thread() is not threading.main_thread():
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt(f"ended by {signal.Signals(number).name}")

    for name in _ENDINGS:
        number = getattr(signal, name, None)
        if number is None:
            continue
        before = signal.getsignal(number)
        if before in (signal.SIG_DFL, signal.default_int_handler):
            signal.signal(number, interrupt)
            at_the_end(partial(_restore, number, before))


def _restore(number: int, handler: Any) -> None:
    signal.signal(number, handler)


def ignore(at_the_end: Callable[[Callable[[], None]], object]) -> None:
    """Let no signal end the run from now on.

    Args:
        at_the_end: takes what is to be done when the run has ended.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    for name in _ENDINGS:
        if (number := getattr(signal, name, None)) is not None:
            at_the_end(partial(_restore, number, signal.signal(number, signal.SIG_IGN)))
