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
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from ml_api_lab.sandbox.clock import Clock

Key = TypeVar("Key", bound=Hashable)


class Closable(Protocol):
    """What has to be closed when it is no longer needed."""

    def close(self) -> None: ...


Place = TypeVar("Place", bound=Closable)

# More would wait for each other in this process, however many cores there are.
_AT_ONCE = min(os.cpu_count() or 1, 4) + 1

_LAID_OUT = 40
"""For how many there may be places at a time: a submission's folder can be large."""

_GRACE = 0.5
"""How long what is at work may go on when all of it is to end, in seconds."""

_PART = 0.2


@dataclass(frozen=True)
class Passed:
    """A check that has passed: how far its clock went, and how many seconds that took."""

    lab_time: int
    took: float


class Ahead(Generic[Key, Place]):
    """Puts checks to work in threads.

    Args:
        lay_out: makes the place where a check will work. This needs no other process, so it is
            done for many at once, while the first processes are still on their way.
        perform: runs a check in its place, and closes it; raises what the check raises. It hands
            the check's clock to the function that it is given, as soon as there is one.
    """

    def __init__(
        self,
        lay_out: Callable[[Key], Place],
        perform: Callable[[Key, Place, Callable[[Clock], None]], None],
    ) -> None:
        self._lay_out = lay_out
        self._perform = perform
        self._clocks: dict[Key, Clock] = {}
        self._futures: dict[Key, Future[Passed | None]] = {}
        self._lock = threading.Lock()
        self._over = False
        self._room = threading.Semaphore(_LAID_OUT)
        self._pool: ThreadPoolExecutor | None = None
        self._layers: ThreadPoolExecutor | None = None

    def begin(self, checks: Sequence[Key]) -> None:
        """Begin with these checks, unless one has failed before."""
        if self._over:
            return
        if self._pool is None or self._layers is None:
            self._pool = ThreadPoolExecutor(_AT_ONCE, "ahead")
            self._layers = ThreadPoolExecutor(1, "lay-out")
        for check in checks:
            place = self._layers.submit(self._lay_out_when_there_is_room, check)
            self._futures[check] = self._pool.submit(self._try, check, place)

    def passed(self, check: Key) -> Passed | None:
        """Wait for a check; return None if it has to run in its turn, with nothing beside it."""
        future = self._futures.pop(check, None)
        if future is None:
            return None
        while not future.done():
            # In parts: on Windows, Ctrl-C is not heard while one waits for a lock.
            wait([future], _PART)
        result = future.result()
        if result is None:
            self.end()
        return result

    def end(self) -> None:
        """End all of it; what has passed stays so."""
        with self._lock:
            self._over = True
            for clock in self._clocks.values():
                clock.shorten_budget(_GRACE)
        if self._pool is not None and self._layers is not None:
            self._pool.shutdown()
            self._layers.shutdown()

    def _lay_out_when_there_is_room(self, check: Key) -> Place:
        self._room.acquire()
        return self._lay_out(check)

    def _try(self, check: Key, place: Future[Place]) -> Passed | None:
        if self._over and place.cancel():
            return None
        try:
            laid_out = place.result()
            if not self._over:
                return self._put_to_work(check, laid_out)
            laid_out.close()
        except BaseException:  # also what would end the run: it will, in its turn
            self._over = True
        finally:
            self._room.release()
        return None

    def _put_to_work(self, check: Key, place: Place) -> Passed:
        began = time.monotonic()

        def know(clock: Clock) -> None:
            with self._lock:
                self._clocks[check] = clock
                if self._over:
                    clock.shorten_budget(_GRACE)

        try:
            self._perform(check, place, know)
        finally:
            with self._lock:
                clock = self._clocks.pop(check, None)
        return Passed(int(clock.now) if clock is not None else 0, time.monotonic() - began)
