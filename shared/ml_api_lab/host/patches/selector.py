"""The default selector in lab time, in which event loops wait."""

from __future__ import annotations

import selectors
import socket
from collections.abc import Mapping
from typing import Any

from ml_api_lab.host.clock import CLOCK, Waiter

_RealSelector = selectors.DefaultSelector


class Selector(_RealSelector):
    """The default selector, parking its thread where it would block.

    Event loops take it by themselves. Its own wake-up socket is never reported.
    """

    def __init__(self) -> None:
        super().__init__()
        self._near, self._far = socket.socketpair()
        self._near.setblocking(False)
        self._far.setblocking(False)
        self.register(self._near, selectors.EVENT_READ)

    def get_map(self) -> Mapping[Any, Any]:
        return {fd: key for fd, key in super().get_map().items() if fd != self._near.fileno()}

    def _poll(self, timeout: float | None = 0) -> list[Any]:
        return [event for event in super().select(timeout) if event[0].fileobj is not self._near]

    def select(self, timeout: float | None = None) -> list[Any]:
        events = self._poll()
        if events or (timeout is not None and timeout <= 0) or not CLOCK.is_connected:
            return events or super().select(timeout)
        with CLOCK.mutex:
            deadline = None if timeout is None else CLOCK.deadline_in(timeout)
            waiter = Waiter(deadline, self._interrupt, lambda: bool(self._poll()))
            CLOCK.park(waiter)
        events = self._poll(None)
        with CLOCK.mutex:
            # Something became readable on its own, or somebody has woken this thread.
            CLOCK.unpark(waiter)
            try:
                self._near.recv(64)
            except BlockingIOError:
                pass
        return events

    def _interrupt(self) -> None:
        self._far.send(b"!")

    def close(self) -> None:
        self._near.close()
        self._far.close()
        super().close()
