"""Pools of processes, whose workers live outside the lab, in real time."""

from __future__ import annotations

import selectors
import sys
from typing import Any

from ml_api_lab.host import internals
from ml_api_lab.host.clock import CLOCK
from ml_api_lab.host.patches.selector import Selector

_IDLE_WORKERS_SECONDS = 0.05
"""How long other processes may take for an answer before lab time moves on, in real time."""

_BUSY_WORKERS_SECONDS = 5.0
"""The same for processes that are known to be at work, or about to begin."""


def install() -> None:
    """Let the pools that are loaded wait with `wait`, where the platform has what it takes."""
    if hasattr(selectors, "PollSelector"):
        internals.use_pool_wait(wait)


def wait(object_list: Any, timeout: float | None = None) -> list[Any]:
    """`multiprocessing.connection.wait`, for workers that answer in real time.

    The real one asks the (standing) clock over and over whether its timeout is past. Where there
    are no other processes, a pool of threads waits for one of its own, and that is lab time.
    """
    # An executor's manager knows what its workers have been given; it calls this itself.
    pending = internals.pending_work(sys._getframe(1))
    others = internals.has_child_processes()
    with selectors.PollSelector() if others else Selector() as selector:
        for each in object_list:
            selector.register(each, selectors.EVENT_READ)
        if not others or timeout is not None:
            ready = selector.select(timeout)
        else:
            ready = selector.select(_BUSY_WORKERS_SECONDS if pending else _IDLE_WORKERS_SECONDS)
            while not ready:
                # Idle workers never answer, and somebody may wait for a moment of lab time.
                is_idle = pending is not None and not pending
                CLOCK.let_time_pass(lambda: bool(selector.select(0)), is_idle=is_idle)
                ready = selector.select(_IDLE_WORKERS_SECONDS)
        return [key.fileobj for key, _ in ready]
