"""Checks put to work ahead of their turn, several at a time: a check mostly waits for its host.

Only a pass is taken from here, and a pass in company is a pass: each check has a process of its
own, and in lab time no neighbour can slow it down or hurry it. Whatever does not pass, for whatever
reason, is left for its turn, when it runs alone and in the ordinary way. The first of them also
ends all work ahead: what a faulty submission does to the machine costs no other check a point.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from shared.clock import Clock

Key = TypeVar("Key", bound=Hashable)

# More would wait for each other in this process, however many cores there are.
_AT_ONCE = min(os.cpu_count() or 1, 4) + 1

_GRACE = 0.5
"""How long what is at work may go on when all of it is to end, in seconds."""


@dataclass(frozen=True)
class Passed:
    """A check that has passed: how far its clock went, and how many seconds that took."""

    lab_time: int
    took: float


class Ahead(Generic[Key]):
    """Puts checks to work in threads.

    Args:
        perform: runs a check; raises what the check raises. It hands the check's clock to the
            function that it is given, as soon as there is one.
    """

    def __init__(self, perform: Callable[[Key, Callable[[Clock], None]], None]) -> None:
        self._perform = perform
        self._clocks: dict[Key, Clock] = {}
        self._futures: dict[Key, Future[Passed | None]] = {}
        self._lock = threading.Lock()
        self._over = False
        self._pool: ThreadPoolExecutor | None = None

    def begin(self, checks: Sequence[Key]) -> None:
        """Begin with these checks, unless one has failed before."""
        if self._over:
            return
        if self._pool is None:
            self._pool = ThreadPoolExecutor(_AT_ONCE, "ahead")
        for check in checks:
            self._futures[check] = self._pool.submit(self._try, check)

    def passed(self, check: Key) -> Passed | None:
        """Wait for a check; return None if it has to run in its turn, with nothing beside it."""
        future = self._futures.pop(check, None)
        if future is None:
            return None
        result = future.result()
        if result is None:
            self.end()
        return result

    def end(self) -> None:
        """End all of it; what has passed stays so."""
        with self._lock:
            self._over = True
            for clock in self._clocks.values():
                clock.hurry(_GRACE)
        if self._pool is not None:
            self._pool.shutdown()

    def _try(self, check: Key) -> Passed | None:
        if self._over:
            return None
        began = time.monotonic()

        def know(clock: Clock) -> None:
            with self._lock:
                self._clocks[check] = clock
                if self._over:
                    clock.hurry(_GRACE)

        try:
            self._perform(check, know)
        except BaseException:  # also what would end the run: it will, in its turn
            self._over = True
            return None
        finally:
            with self._lock:
                clock = self._clocks.pop(check, None)
        return Passed(int(clock.now) if clock is not None else 0, time.monotonic() - began)
