"""The checks' clock, which is the authority: lab time, or the wall's.

Lab time is an integer count of nanoseconds since the lab's day began at 09:00:00. It moves only
when nobody can run. The two sides take turns:

1. The checks run on their event loop until nothing there is ready.
2. If they have sent something, it leaves now: every submission concerned acts on all of it and
   runs until it is idle; what it sent meanwhile is then delivered, at the same moment.
3. If they have sent nothing, time moves to the earliest moment that anyone waits for: a timer of
   the checks, or what a submission said it waits for. Those submissions run until they are idle.

So at one and the same moment submissions run before the timers of the checks, and a check that
sleeps 5 s sees what the submission does at 5 s. Timers at the same moment on one loop fire in the
order in which they were set. CPU work takes no lab time, however long it takes.

What a submission says of its next moment is used, never believed: it cannot name a moment that has
passed, and a horizon and a budget of real time end what never ends.

On the wall clock everybody runs freely, and spans are compared with a tolerance. There the budget
begins anew with each request of the check, and behind each wait that it asks for; the horizon ends
that.
"""

from __future__ import annotations

import asyncio
import contextvars
import selectors
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from ml_api_lab.errors import CourseError
from ml_api_lab.lab_time import NS, RoughSpan, Span, seconds
from ml_api_lab.protocol.messages import ClockName
from ml_api_lab.protocol.timers import OrderedTimer
from ml_api_lab.sandbox import internals

HORIZON = seconds(600)
"""How long the checks wait for a submission while nothing but the submission's timers happens."""


class Participant(Protocol):
    """A submission, as its clock sees it."""

    @property
    def next_moment(self) -> Span | None:
        """The moment that it waits for, None if only a message can make it run."""

    @property
    def has_pending_messages(self) -> bool:
        """Whether there are messages that it has not acted on."""

    def grant(self, now: Span) -> None:
        """Let it act on its messages, at this moment."""

    def wait_until_idle(self) -> None:
        """Wait until it is idle or gone, at the latest until the clock's `budget_end`."""

    def deliver(self) -> bool:
        """Hand what it sent to whoever waits for it; return whether somebody did."""

    def fail_waiting(self, reason: str) -> bool:
        """Fail whoever waits for it, for that reason; return whether somebody did."""

    def watch(self, loop: WallLoop) -> None:
        """Deliver as messages come (the wall clock)."""


class Clock:
    """What both clocks have in common. `restart` sets the moment from which `elapsed` counts.

    Attributes:
        budget: the real time that a check may take, in seconds; on the wall clock, besides the
            waits that it asks for itself.
        budget_end: when that is over (`time.monotonic`); a submission looks at it as it waits.
        patience: how many times the budget a crowded machine gets for it.
    """

    name: ClockName

    def __init__(self, budget: float) -> None:
        self.participants: list[Participant] = []
        self.budget_end = float("inf")
        self.budget = budget
        self.patience = 1.0
        self._began = Span(0)

    @property
    def now(self) -> Span:
        """The present moment, counted from the beginning of the lab's day."""
        raise NotImplementedError

    @property
    def elapsed(self) -> Span:
        """The time since the check began or `restart` was called."""
        return self.now - self._began

    def restart(self) -> None:
        self._began = Span(self.now)

    def join(self, participant: Participant) -> None:
        """Keep this submission in time from now on; with the first, the budget begins to run."""
        if self.budget_end == float("inf"):
            self.renew_budget()
        self.participants.append(participant)

    def renew_budget(self) -> None:
        """Begin the budget anew: what has run so far was work of the check's own."""
        self.budget_end = time.monotonic() + self._allowed_seconds

    def allow_wait(self, until: float) -> None:
        """Note that the check itself asks to wait; in lab time this takes no real time.

        Args:
            until: when the wait is over (`time.monotonic`), now if that is not known.
        """

    def shorten_budget(self, limit_seconds: float) -> None:
        """Allow no more than that many seconds of real time from now on; from any thread."""
        self.budget = min(self.budget, limit_seconds)
        self.patience = 1.0
        self.budget_end = min(self.budget_end, time.monotonic() + limit_seconds)

    @property
    def _allowed_seconds(self) -> float:
        return self.budget * self.patience

    def leave(self, participant: Participant) -> None:
        if participant in self.participants:
            self.participants.remove(participant)


class LabClock(Clock):
    """Lab time, moved by the loop whose selector finds nothing to do."""

    name: ClockName = "lab"

    def __init__(self, budget: float) -> None:
        super().__init__(budget)
        self._now = Span(0)
        self._last_activity = Span(0)

    @property
    def now(self) -> Span:
        return self._now

    def note_activity(self) -> None:
        """Note that the checks have something to do at this moment."""
        self._last_activity = self._now

    def take_turn(self, timeout: float | None) -> None:
        """Let the submissions have their turn; `timeout` is the way to the checks' next timer."""
        acting = [each for each in self.participants if each.has_pending_messages]
        if not acting:
            acting = self._advance(timeout)
        for participant in acting:
            participant.grant(self._now)
        for participant in acting:
            participant.wait_until_idle()
        # All of them, also after one has failed: each has its own waiters.
        delivered = [participant.deliver() for participant in acting]
        if any(delivered):
            self.note_activity()

    def _advance(self, timeout: float | None) -> list[Participant]:
        moments = [each.next_moment for each in self.participants]
        own = None if timeout is None else self._now + round(timeout * NS)
        due = [each for each in (*moments, own) if each is not None]
        if not due:
            self._fail_waiting("and nothing is left that could make it go on")
            return []
        moment = max(min(due), self._now)
        if own is None and moment - self._last_activity > HORIZON:
            self._fail_waiting(f"for more than {HORIZON} of lab time")
            return []
        self._now = moment
        waits = zip(self.participants, moments, strict=True)
        return [each for each, until in waits if until is not None and until <= moment]

    def _fail_waiting(self, reason: str) -> None:
        failed = [participant.fail_waiting(reason) for participant in list(self.participants)]
        if not any(failed):
            raise CourseError(
                "The check itself waits for something that can never come: no submission runs "
                "that could wake it, and it has set no timer."
            )


class WallClock(Clock):
    """The wall's time, counted from when the check began."""

    name: ClockName = "real"

    def __init__(self, budget: float) -> None:
        super().__init__(budget)
        self._zero = time.monotonic_ns()
        self._latest_end = float("inf")

    @property
    def now(self) -> Span:
        return RoughSpan(time.monotonic_ns() - self._zero)

    def join(self, participant: Participant) -> None:
        if not self.participants:
            self._latest_end = time.monotonic() + self._allowed_seconds + HORIZON / NS
        super().join(participant)
        loop = asyncio.get_running_loop()
        assert isinstance(loop, WallLoop)
        participant.watch(loop)

    def shorten_budget(self, limit_seconds: float) -> None:
        super().shorten_budget(limit_seconds)
        self._latest_end = self.budget_end

    def allow_wait(self, until: float) -> None:
        """Let the budget begin behind a wait that the check itself asks for, within the horizon."""
        if self.budget_end < float("inf"):
            latest = max(self.budget_end, until + self._allowed_seconds)
            self.budget_end = min(latest, self._latest_end)


class _Selector(selectors.BaseSelector):
    """A selector that gives the submissions their turn where it would block."""

    def __init__(self, clock: LabClock) -> None:
        self._clock = clock
        self._inner = selectors.DefaultSelector()

    def select(self, timeout: float | None = None) -> list[Any]:
        events = self._inner.select(0)
        if events or (timeout is not None and timeout <= 0):
            self._clock.note_activity()
            return events
        self._clock.take_turn(timeout)
        return []  # the loop asks again before it would block

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._inner.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._inner.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._inner.modify(fileobj, events, data)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._inner.get_map()

    def close(self) -> None:
        self._inner.close()


class LabLoop(asyncio.SelectorEventLoop):
    """An event loop in lab time."""

    def __init__(self, clock: LabClock) -> None:
        self.clock = clock
        super().__init__(_Selector(clock))
        # A loop fires what is due within its resolution; Windows' 16 ms would be early.
        internals.set_clock_resolution(self, 1e-9)

    def call_at(  # type: ignore[override]  # typeshed takes type variables
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        if self.is_closed():
            raise RuntimeError("Event loop is closed")
        timer = OrderedTimer(when, callback, args, self, context)
        internals.schedule(self, timer)
        return timer

    def time(self) -> float:
        return self.clock.now / NS


class WallLoop(asyncio.SelectorEventLoop):
    """An ordinary event loop with the wall's clock, on which the check's own waits are allowed."""

    def __init__(self, clock: WallClock) -> None:
        self.clock = clock
        super().__init__()

    def call_at(  # type: ignore[override]
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        self.clock.allow_wait(when)
        return super().call_at(when, callback, *args, context=context)

    def call_unnoticed(self, delay: float, callback: Callable[[], object]) -> None:
        """As `call_later`, for the harness: nobody waits for it."""
        super().call_at(self.time() + delay, callback)


def new_loop(name: ClockName, budget: float) -> LabLoop | WallLoop:
    """Return an event loop of its own clock, "lab" or "real".

    Args:
        budget: the real time that a check may take, in seconds.
    """
    return LabLoop(LabClock(budget)) if name == "lab" else WallLoop(WallClock(budget))
