"""Threads in lab time: each counts as running from its start to its end."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable
from typing import Any

from ml_api_lab.host import internals
from ml_api_lab.host.clock import CLOCK, start_untracked_thread
from ml_api_lab.host.patches import pools
from ml_api_lab.host.patches.sleep import real_sleep

_MEETING_SECONDS = 0.005
"""How far apart threads may come to a file and yet meet there, in real time."""

_real_start = threading.Thread.start
_real_join = threading.Thread.join
# Wrapped, since freezegun replaces the function itself wherever it finds it.
_real_perf_counter = functools.partial(time.perf_counter)


def start(thread: threading.Thread) -> None:
    """`Thread.start`: the new thread counts as running before it runs."""
    # Only here, for it takes long to import: who waits so is a pool's thread.
    pools.install()
    ended = threading.Event()

    def wrap(live: Callable[[], None]) -> Callable[[], None]:
        def live_and_end() -> None:
            try:
                live()
            finally:
                ended.set()
                CLOCK.leave()

        return live_and_end

    internals.wrap_thread(thread, wrap)
    thread._lab_ended = ended  # type: ignore[attr-defined]  # an attribute of our own
    CLOCK.enter()
    try:
        _real_start(thread)
    except BaseException:
        CLOCK.leave()
        raise


def join(thread: threading.Thread, timeout: float | None = None) -> None:
    """`Thread.join`: park until the thread's work has ended; the rest takes no lab time."""
    ended = getattr(thread, "_lab_ended", None)
    if ended is None or thread is threading.current_thread() or ended.wait(timeout):
        _real_join(thread)


def start_new_thread(
    function: Callable[..., object], args: tuple[Any, ...], kwargs: dict[str, Any] | None = None, /
) -> int:
    """`_thread.start_new_thread`: counted like a `threading.Thread`."""

    def run() -> None:
        try:
            function(*args, **(kwargs or {}))
        finally:
            CLOCK.leave()

    CLOCK.enter()
    try:
        return start_untracked_thread(run, ())
    except BaseException:
        CLOCK.leave()
        raise


def meet_at_files() -> None:
    """Let threads that write to files meet each other there.

    On a quiet machine a thread is mostly done before the next one wakes, and lines that tear now
    and then would be torn in one run and not in the next. So each waits, in real time, for the
    next of common moments, at which all that have come go on together.
    """

    def meet(frame: object, event: str, called: object) -> None:
        if event == "c_call" and getattr(called, "__name__", "") in ("open", "write"):
            real_sleep(_MEETING_SECONDS - _real_perf_counter() % _MEETING_SECONDS)

    threading.setprofile(meet)
