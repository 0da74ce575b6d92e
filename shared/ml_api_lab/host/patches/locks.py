"""`threading.Lock` in lab time; all that is made of locks needs no replacement of its own."""

from __future__ import annotations

from collections import deque

from ml_api_lab.host.clock import CLOCK, Waiter


class Lock:
    """`threading.Lock` in lab time: released straight into the hands of who waited longest."""

    def __init__(self) -> None:
        self._held = False
        self._waiters: deque[Waiter] = deque()

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        if not blocking and timeout != -1:
            raise ValueError("can't specify a timeout for a non-blocking call")
        if timeout < 0 and timeout != -1:
            raise ValueError("timeout value must be a non-negative number")
        with CLOCK.mutex:
            if not self._held:
                self._held = True
                return True
            if not blocking or timeout == 0:
                return False
            waiter = Waiter(None if timeout == -1 else CLOCK.deadline_in(timeout))
            self._waiters.append(waiter)
            CLOCK.park(waiter)
        return not waiter.wait()

    def release(self) -> None:
        with CLOCK.mutex:
            if not self._held:
                raise RuntimeError("release unlocked lock")
            while self._waiters:
                if CLOCK.wake(self._waiters.popleft()):
                    return
            self._held = False

    def locked(self) -> bool:
        return self._held

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *exc: object) -> None:
        self.release()

    def _at_fork_reinit(self) -> None:
        """Start anew in a forked process, as `threading` and `concurrent.futures` ask of a lock."""
        self._held = False
        self._waiters = deque()
