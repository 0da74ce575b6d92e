"""Trials played side by side, and again alone if in doubt: a check mostly waits for a submission.

Trials in lab time share one lane, several wide: each has a process of its own, and no neighbour can
slow its clock down or hurry it. What talks to real processes goes one after the other, in a lane
beside it. A failure that a neighbour can have caused is in doubt (it is not
:attr:`Verdict.is_conclusive`), and its trial is played once more, alone; only that verdict counts.
"Alone" is in this run: other runs, and the other workers of a class, may keep the machine so busy
that a program gets a small part of each second. So it may take longer then. A real server that may
have lacked its port is the only one on the machine then.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Protocol

from ml_api_lab.errors import Late
from ml_api_lab.grading.verdict import Verdict
from ml_api_lab.sandbox.clock import Clock
from ml_api_lab.sandbox.files.workspace import Workspace
from ml_api_lab.sandbox.runs import KnownRuns
from ml_api_lab.trials.machine_lock import MachineLock
from ml_api_lab.trials.trial import Trial

# More would wait for each other in this process, however many cores there are.
_SIDE_BY_SIDE = min(os.cpu_count() or 1, 4) + 1

_MOST_WORKSPACES = 40
"""How many may be laid out at a time: a submission's folder can be large."""

_SHARE = 0.25
"""The part of its budget that a trial in lab time has here: what is slow is played again alone."""

_MOST_PATIENCE = 3.0
"""How many times its budget a trial may have at most, alone on a crowded machine."""

_GRACE_SECONDS = 0.5
"""How long what is at work may go on when all of it is to end."""

_PART_SECONDS = 0.2
"""How long to wait at a time: on Windows, Ctrl-C is not heard while one waits for a lock."""


class Play(Protocol):
    """Plays a trial, as :func:`ml_api_lab.trials.trial.play` does with a runner."""

    def __call__(
        self,
        trial: Trial,
        *,
        workspace: Workspace | None = None,
        on_start: Callable[[Clock], None],
        budget: float | None = None,
        known_runs: KnownRuns | None = None,
    ) -> Verdict: ...


class ParallelTrials:
    """Plays trials in threads.

    Attributes:
        is_over: whether all that was at work has been ended, and nothing more begins.

    Args:
        play: plays a trial; closes its workspace.
        lay_out: makes the workspace of a trial. This needs no other process, so it is done for many
            at once, while the first processes are still on their way.
        servers: what real servers hold while they run; None if they have ports of their own.
    """

    def __init__(
        self,
        play: Play,
        lay_out: Callable[[Trial], Workspace],
        servers: MachineLock | None = None,
    ) -> None:
        self._play = play
        self._lay_out = lay_out
        self._servers = servers
        self._clocks: dict[str, Clock] = {}
        self._futures: dict[str, Future[Verdict | None]] = {}
        self._lock = threading.Lock()
        self._at_work = _Gate()
        self.is_over = False
        self._grace_seconds = _GRACE_SECONDS
        self._room = threading.Semaphore(_MOST_WORKSPACES)
        self._lanes: dict[str, ThreadPoolExecutor] = {}
        self._known_runs = KnownRuns()
        self._late_places: set[tuple[str, str]] = set()

    def begin(self, trials: Sequence[Trial]) -> None:
        """Begin with these trials, in this order."""
        for trial in trials:
            workspace = None
            if trial.clock == "lab":
                layers = self._lane("workspaces", 1)
                workspace = layers.submit(self._lay_out_when_there_is_room, trial)
            lane = self._lane(trial.clock, _SIDE_BY_SIDE if trial.clock == "lab" else 1)
            self._futures[trial.check.id] = lane.submit(self._try, trial, workspace)

    def verdict(self, trial: Trial) -> Verdict | None:
        """Wait for the verdict on a trial that has begun; in doubt, play it again alone.

        Returns:
            None if the trial has not begun here, ended in what only pytest understands, or was
            ended with all others.
        """
        future = self._futures.pop(trial.check.id, None)
        if future is None:
            return None
        while not future.done():
            wait([future], _PART_SECONDS)
        verdict = future.result()
        if self.is_over:
            return None
        if verdict is None or verdict.is_conclusive:
            return verdict
        if self._late_place(verdict) in self._late_places:
            return verdict  # the whole budget, which is real time, has been waited for once
        lacked_port = verdict.may_lack_a_port
        verdict = self.play_alone(trial, as_only_server=lacked_port)
        if verdict.may_lack_a_port and not lacked_port:
            verdict = self.play_alone(trial, as_only_server=True)
        if (place := self._late_place(verdict)) is not None:
            self._late_places.add(place)
        return verdict

    @staticmethod
    def _late_place(verdict: Verdict) -> tuple[str, str] | None:
        """Return where in which task a submission was when its budget was used up, if it was."""
        error = verdict.error
        return (verdict.check.task, error.place) if isinstance(error, Late) else None

    def play_alone(self, trial: Trial, *, as_only_server: bool = False) -> Verdict:
        """Play a trial now, with its whole budget, nothing beside it and nothing known before.

        The budget is real time, of which a crowded machine gives each process a part only: so it is
        longer there, by as much as there is more at work than there are cores.

        Args:
            as_only_server: whether no other run on this machine may have a real server up.
        """

        def on_start(clock: Clock) -> None:
            clock.patience = _patience()
            self._remember(trial, clock)

        with self.nothing_at_work(), self._server_lock(trial, alone=as_only_server):
            try:
                return self._play(trial, on_start=on_start)
            finally:
                self._forget(trial)

    def _server_lock(self, trial: Trial, *, alone: bool) -> AbstractContextManager[None]:
        if self._servers is None or not trial.check.on_the_wall_clock:
            return nullcontext()
        hold = self._servers.alone if alone else self._servers.together
        return hold(lambda: self.is_over)

    @contextmanager
    def nothing_at_work(self) -> Iterator[None]:
        """Begin no trial meanwhile, and wait before until those at work have ended."""
        with self._at_work.closed():
            yield

    def end(self) -> None:
        """End all that is at work, begin nothing more, and wait until all have ended."""
        self.cut_short(_GRACE_SECONDS)
        for lane in self._lanes.values():
            lane.shutdown()

    def cut_short(self, grace_seconds: float = 0.0) -> None:
        """Give what is at work no more than that time, and begin nothing more; from any thread."""
        with self._lock:
            self.is_over = True
            self._grace_seconds = grace_seconds
            for clock in self._clocks.values():
                clock.shorten_budget(grace_seconds)

    def _lane(self, name: str, width: int) -> ThreadPoolExecutor:
        if name not in self._lanes:
            self._lanes[name] = ThreadPoolExecutor(width, name)
        return self._lanes[name]

    def _lay_out_when_there_is_room(self, trial: Trial) -> Workspace:
        self._room.acquire()
        return self._lay_out(trial)

    def _try(self, trial: Trial, workspace: Future[Workspace] | None) -> Verdict | None:
        if workspace is None:
            return self._play_beside_others(trial, None)
        if self.is_over and workspace.cancel():
            return None
        try:
            return self._play_beside_others(trial, workspace.result())
        except Exception:  # there is no workspace, which is found out again alone
            return None
        finally:
            self._room.release()

    def _play_beside_others(self, trial: Trial, workspace: Workspace | None) -> Verdict | None:
        with self._at_work.open():
            if self.is_over:
                if workspace is not None:
                    workspace.close()
                return None
            budget = trial.budget * _SHARE if trial.clock == "lab" else trial.budget
            try:
                with self._server_lock(trial, alone=False):
                    return self._play(
                        trial,
                        workspace=workspace,
                        on_start=lambda clock: self._remember(trial, clock),
                        budget=budget,
                        known_runs=self._known_runs,
                    )
            except BaseException:  # pytest's own outcomes, which pytest must see
                return None
            finally:
                self._forget(trial)

    def _remember(self, trial: Trial, clock: Clock) -> None:
        with self._lock:
            self._clocks[trial.check.id] = clock
            if self.is_over:
                clock.shorten_budget(self._grace_seconds)

    def _forget(self, trial: Trial) -> None:
        with self._lock:
            self._clocks.pop(trial.check.id, None)


def _patience() -> float:
    """Return how many processes want each core at the moment, at least 1."""
    if not hasattr(os, "getloadavg"):
        return 1.0
    try:
        at_work, _, _ = os.getloadavg()
    except OSError:
        return 1.0
    return min(max(at_work / (os.cpu_count() or 1), 1.0), _MOST_PATIENCE)


class _Gate:
    """Lets many in at a time, or one alone."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside = 0
        self._closed = 0

    @contextmanager
    def open(self) -> Iterator[None]:
        """Be one of many, once nobody is or wants to be alone."""
        with self._changed:
            self._changed.wait_for(lambda: not self._closed)
            self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify_all()

    @contextmanager
    def closed(self) -> Iterator[None]:
        """Be alone, once the others have left."""
        with self._changed:
            self._closed += 1
        try:
            with self._changed:
                while self._inside:
                    self._changed.wait(_PART_SECONDS)
            yield
        finally:
            with self._changed:
                self._closed -= 1
                self._changed.notify_all()
