"""Lab time inside the submission's process: who can run, who waits, and until when.

Every thread of the submission is *running* until it parks here: in `time.sleep`, in a lock of
`threading` (and so in a condition, event, queue, future or join, which are all made of locks), or
in the selector of an event loop. CPU work, files and sockets are running; so is a read, unless it
is known that only another thread of the process can answer it (`patches.pipes`). When the last
running thread parks, nothing can happen before the earliest moment that someone waits for; that
moment is reported in an `Idle`, and time stands still until a `Grant` moves it.

A loop whose selector has something to read is not idle, although it is parked: before the report,
every parked selector is polled once. No thread of the submission runs meanwhile, so the answer
cannot change behind the poll.

Times are integers, nanoseconds since the lab's day began at 09:00:00.
"""

from __future__ import annotations

import _thread
import heapq
import itertools
from collections.abc import Callable, Iterable

from ml_api_lab.protocol.messages import Idle, Message

# Taken before anything is patched: the clock itself must neither park nor see lab time.
allocate_real_lock = _thread.allocate_lock
"""Make a lock in which a thread waits without being parked."""

start_untracked_thread = _thread.start_new_thread
"""Start a thread that the clock does not know of."""

NS = 1_000_000_000


class Waiter:
    """One parked thread: woken once, by its moment, by another thread, or by a selector's poll."""

    __slots__ = ("_gate", "_wake", "deadline", "deadline_passed", "is_parked", "poll")

    def __init__(
        self,
        deadline: int | None,
        wake: Callable[[], object] | None = None,
        poll: Callable[[], bool] | None = None,
    ) -> None:
        self.deadline = deadline
        self.poll = poll
        self.is_parked = True
        self.deadline_passed = False
        self._gate = allocate_real_lock()
        self._gate.acquire()
        self._wake = wake or self._gate.release

    def wake(self) -> None:
        self._wake()

    def wait(self) -> bool:
        """Block until woken; return whether it was the deadline that came."""
        self._gate.acquire()
        return self.deadline_passed


class GrantedClock:
    """The submission's clock. One to a process; it moves by `grant` alone."""

    def __init__(self) -> None:
        # Reentrant: a garbage collection inside a locked section may run a finalizer that puts
        # something into a queue, and so comes back here on the same thread.
        self.mutex = _thread.RLock()
        self.now = 0
        self.on_move: Callable[[int], None] = lambda now: None
        self._send: Callable[[Message], None] | None = None
        self._running = 1
        self._deadlines: list[tuple[int, int, Waiter]] = []
        self._polled: set[Waiter] = set()
        self._outside: dict[int, Waiter] = {}
        self._order = itertools.count()
        # Nothing is asked before the first grant. Whoever parked before it would otherwise report,
        # and report again after it: the checks' side would take the first for the second.
        self._reported = True

    def begin(self, now: int) -> None:
        """Begin at that moment: a submission may be started late in a check."""
        with self.mutex:
            if now > self.now:
                self.now = now
                self.on_move(now)

    def connect(self, send: Callable[[Message], None]) -> None:
        """Report to the checks' side from now on."""
        self._send = send

    def disconnect(self) -> None:
        """Stand still from now on (a process that the submission forks has no link)."""
        self._send = None
        # Another thread may have held it when the process forked, and nobody here would release it.
        self.mutex = _thread.RLock()

    @property
    def is_connected(self) -> bool:
        return self._send is not None

    @property
    def is_anybody_running(self) -> bool:
        return self._running > 0 and self.is_connected

    @property
    def seconds(self) -> float:
        return self.now / NS

    def deadline_in(self, delay: float) -> int:
        """Return the moment that comes `delay` seconds from now."""
        return self.now + max(0, round(delay * NS))

    def park(self, waiter: Waiter) -> None:
        """Count the calling thread out; it must then wait for the waiter to be woken.

        The caller holds `mutex`, so nothing can wake the waiter before it is known.
        """
        if waiter.deadline is not None:
            heapq.heappush(self._deadlines, (waiter.deadline, next(self._order), waiter))
        if waiter.poll is not None:
            self._polled.add(waiter)
        self.leave()

    def unpark(self, waiter: Waiter) -> bool:
        """Count a parked thread in; return False if somebody did so before. Holds `mutex`."""
        if not waiter.is_parked:
            return False
        waiter.is_parked = False
        self._polled.discard(waiter)
        self._running += 1
        return True

    def wake(self, waiter: Waiter) -> bool:
        """Unpark and wake a waiter; return False if it was woken before."""
        with self.mutex:
            if not self.unpark(waiter):
                return False
            waiter.wake()
            return True

    def enter(self) -> None:
        """Count in a thread that is about to start."""
        with self.mutex:
            self._running += 1

    def leave(self) -> None:
        """Count out the calling thread, which parks or ends; the last one reports that all is idle.

        If it was counted out already, since it was waiting outside, it comes back in before.
        """
        with self.mutex:
            if self._outside and (waiter := self._outside.pop(_thread.get_native_id(), None)):
                self.unpark(waiter)
            self._running -= 1
            self._report_if_idle()

    def leave_outside(self, thread: int, is_waiting: Callable[[], bool]) -> None:
        """Count out another thread, which waits where it cannot be woken from here.

        It comes back in by itself when it parks or ends, and is asked for before all is idle.

        Args:
            thread: its number for the operating system.
            is_waiting: whether it waits for another thread of this process.
        """
        with self.mutex:
            if thread not in self._outside and is_waiting():
                waiter = Waiter(
                    None, lambda: self._outside.pop(thread, None), lambda: not is_waiting()
                )
                self._outside[thread] = waiter
                self._polled.add(waiter)
                self._running -= 1
                self._report_if_idle()

    def is_outside(self, thread: int) -> bool:
        """Whether that thread is counted out, since it waits where it cannot be woken."""
        return thread in self._outside

    def sleep(self, delay: float) -> None:
        """Park the calling thread for `delay` seconds of lab time."""
        with self.mutex:
            waiter = Waiter(self.deadline_in(delay))
            self.park(waiter)
        waiter.wait()

    def let_time_pass(self, poll: Callable[[], bool], *, is_idle: bool = False) -> None:
        """Let time move to the next moment that somebody waits for, if anybody does.

        For a thread that waits for what is outside the lab; `poll` says whether that has come.

        Args:
            is_idle: whether nothing can come from there before somebody here asks for it.
        """
        with self.mutex:
            self._drop_woken()
            if not self._deadlines and not is_idle:
                return
            waiter = Waiter(self._deadlines[0][0] if self._deadlines else None, poll=poll)
            self.park(waiter)
        waiter.wait()

    def _drop_woken(self) -> None:
        while self._deadlines and not self._deadlines[0][2].is_parked:
            heapq.heappop(self._deadlines)

    def grant(self, now: int, act: Iterable[Callable[[], None]] = ()) -> None:
        """Move to that moment, do what the checks' side asked for, wake whoever is due."""
        with self.mutex:
            self._reported = False
            if now != self.now:
                self.now = now
                self.on_move(now)
            # Counted as running meanwhile, so that nobody reports before all of it is done.
            self._running += 1
            for each in act:
                each()
            while self._deadlines and self._deadlines[0][0] <= now:
                waiter = heapq.heappop(self._deadlines)[2]
                if waiter.is_parked:
                    waiter.deadline_passed = True
                    self.wake(waiter)
            self.leave()

    def _report_if_idle(self) -> None:
        if self._running > 0 or self._reported or self._send is None:
            return
        for waiter in list(self._polled):
            if waiter.poll is not None and waiter.poll():
                self.wake(waiter)
        if self._running > 0:
            return
        self._drop_woken()
        self._reported = True
        self._send(Idle(self._deadlines[0][0] if self._deadlines else None))


CLOCK = GrantedClock()
"""This process's clock."""
