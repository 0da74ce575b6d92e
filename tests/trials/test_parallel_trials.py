"""ParallelTrials: trials side by side, doubt that is settled alone, and what is left to pytest."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from ml_api_lab.course.catalog import Check
from ml_api_lab.course.syllabus import Entry
from ml_api_lab.course.tree import Tree
from ml_api_lab.errors import Conclusive, Dead, Late
from ml_api_lab.grading.verdict import Verdict
from ml_api_lab.lab_time import Span
from ml_api_lab.protocol.messages import ClockName
from ml_api_lab.sandbox.clock import Clock, LabClock
from ml_api_lab.sandbox.files.workspace import Workspace
from ml_api_lab.sandbox.runs import KnownRuns
from ml_api_lab.trials.parallel_trials import _MOST_WORKSPACES, ParallelTrials
from ml_api_lab.trials.trial import Trial
from tests.support.toy import LIMIT

OnStart = Callable[[Clock], None]
BUDGET = 8.0


async def nothing() -> None: ...


def trial(name: str, clock: ClockName = "lab") -> Trial:
    return Trial(
        check=Check(task="task_0_1", file="test_it.py", name=name, title=name, points=1, hint="?"),
        function=nothing,
        entry=Entry("task_0_1", "It", "Part"),
        tree=Tree("toy", Path("toy")),
        seed=1,
        clock=clock,
        budget=BUDGET,
    )


class Place:
    """Where a trial works: it remembers that it was closed."""

    def __init__(self, trial: Trial) -> None:
        self.check = trial.check
        self.closed = False

    def close(self) -> None:
        self.closed = True


def place(trial: Trial) -> Workspace:
    return cast(Workspace, Place(trial))


def moving(now: float = 0) -> Clock:
    clock = LabClock(LIMIT)
    clock._now = Span(round(now * 1e9))
    return clock


def verdict(trial: Trial, error: BaseException | None = None, at: float = 0) -> Verdict:
    return Verdict(
        check=trial.check, error=error, lab_time=Span(round(at * 1e9)), clock=trial.clock
    )


Scene = Callable[[Trial, OnStart], Verdict]


class Stage:
    """Plays trials as the scenes say, and remembers how: each name, its budget, its thread."""

    def __init__(self, **scenes: Scene) -> None:
        self.played: list[tuple[str, float, bool]] = []
        self._scenes = scenes

    def __call__(
        self,
        trial: Trial,
        *,
        workspace: Workspace | None = None,
        on_start: OnStart,
        budget: float | None = None,
        known_runs: KnownRuns | None = None,
    ) -> Verdict:
        alone = threading.current_thread() is threading.main_thread()
        assert alone == (known_runs is None), "alone, each script is to run"
        self.played.append((trial.check.name, trial.budget if budget is None else budget, alone))
        try:
            return self._scenes[trial.check.name](trial, on_start)
        finally:
            if workspace is not None:
                workspace.close()


def passes(trial: Trial, on_start: OnStart) -> Verdict:
    return verdict(trial, at=3)


def fails(trial: Trial, on_start: OnStart) -> Verdict:
    return verdict(trial, AssertionError("It is wrong."))


def dies(trial: Trial, on_start: OnStart) -> Verdict:
    return verdict(trial, Dead("It has died."))


def computes_in(place: str) -> Scene:
    def computes(trial: Trial, on_start: OnStart) -> Verdict:
        return verdict(trial, Late("It did not come to rest.", place))

    return computes


def test_the_whole_budget_is_waited_for_once_at_a_place() -> None:
    stage = Stage(
        one=computes_in("main.py predict"),
        two=computes_in("main.py predict"),
        other=computes_in("main.py health"),
    )
    parallel = ParallelTrials(stage, place)
    trials = [trial("one"), trial("two"), trial("other")]
    parallel.begin(trials)
    seen = [parallel.verdict(each) for each in trials]
    parallel.end()
    assert [each.passed for each in seen if each is not None] == [False] * 3
    assert [name for name, _, alone in stage.played if alone] == ["one", "other"]


@pytest.mark.parametrize(("at_work", "patience"), [(1.0, 1.0), (6.0, 3.0), (100.0, 3.0)])
def test_alone_on_a_crowded_machine_it_may_take_longer(
    monkeypatch: pytest.MonkeyPatch, at_work: float, patience: float
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.setattr(os, "getloadavg", lambda: (at_work, 0.0, 0.0), raising=False)
    given: list[float] = []

    def is_late(trial: Trial, on_start: OnStart) -> Verdict:
        clock = LabClock(BUDGET)
        on_start(clock)
        before = time.monotonic()
        clock.join(Idle())
        assert clock.budget_end >= before + BUDGET * clock.patience
        given.append(clock.patience)
        return verdict(trial, Late("It did not come to rest."))

    parallel = ParallelTrials(Stage(one=is_late), place)
    parallel.begin([trial("one")])
    assert parallel.verdict(trial("one")) is not None
    parallel.end()
    assert given == [1.0, patience]


def only_read(trial: Trial, on_start: OnStart) -> Verdict:
    return replace(verdict(trial, AssertionError("There is no CMD.")), has_run=False)


def ends_in_order(trial: Trial, on_start: OnStart) -> Verdict:
    return verdict(trial, Conclusive("It ended with exit status 0."))


@pytest.mark.parametrize("scene", [only_read, ends_in_order])
def test_what_no_neighbour_changes_is_in_no_doubt_on_the_wall_clock(scene: Scene) -> None:
    stage = Stage(it=scene)
    trials = ParallelTrials(stage, place)
    it = trial("it", "real")
    trials.begin([it])
    found = trials.verdict(it)
    assert found is not None
    assert not found.passed
    assert [alone for _, _, alone in stage.played] == [False]
    trials.end()


def test_several_run_side_by_side() -> None:
    together = threading.Barrier(2, timeout=LIMIT)

    def meets(trial: Trial, on_start: OnStart) -> Verdict:
        together.wait()
        return verdict(trial, at=3)

    parallel = ParallelTrials(Stage(one=meets, two=meets), place)
    trials = [trial("one"), trial("two")]
    parallel.begin(trials)
    seen = [parallel.verdict(each) for each in trials]
    parallel.end()
    assert [each.lab_time for each in seen if each is not None] == [3_000_000_000] * 2


def test_a_failure_in_lab_time_stands_and_ends_nothing() -> None:
    stage = Stage(fails=fails, passes=passes)
    parallel = ParallelTrials(stage, place)
    trials = [trial("fails"), trial("passes")]
    parallel.begin(trials)
    seen = [parallel.verdict(each) for each in trials]
    parallel.end()
    assert [each.passed for each in seen if each is not None] == [False, True]
    assert sorted(stage.played) == [("fails", BUDGET / 4, False), ("passes", BUDGET / 4, False)]


@pytest.mark.parametrize(("scene", "clock"), [(dies, "lab"), (fails, "real")])
def test_doubt_is_settled_alone(scene: Scene, clock: ClockName) -> None:
    """With the whole budget, once nothing else is at work, and before anything new begins."""
    at_work, alone = threading.Event(), threading.Event()

    def neighbour(trial: Trial, on_start: OnStart) -> Verdict:
        at_work.set()
        time.sleep(0.05)
        assert not alone.is_set(), "it was at work beside what had to be alone"
        return verdict(trial)

    def doubtful(trial: Trial, on_start: OnStart) -> Verdict:
        if threading.current_thread() is not threading.main_thread():
            return scene(trial, on_start)
        alone.set()
        time.sleep(0.05)
        alone.clear()
        return verdict(trial)

    stage = Stage(doubtful=doubtful, **{f"n{number}": neighbour for number in range(12)})
    parallel = ParallelTrials(stage, place)
    first = trial("doubtful", clock)
    others = [trial(f"n{number}") for number in range(12)]
    parallel.begin([first, *others])
    assert at_work.wait(LIMIT)
    seen = parallel.verdict(first)
    assert seen is not None
    assert seen.passed
    assert [parallel.verdict(each) is not None for each in others] == [True] * 12
    parallel.end()
    assert stage.played.count(("doubtful", BUDGET, True)) == 1


def test_real_processes_go_one_after_the_other() -> None:
    inside: list[str] = []
    most = 0

    def real(trial: Trial, on_start: OnStart) -> Verdict:
        nonlocal most
        inside.append(trial.check.name)
        most = max(most, len(inside))
        time.sleep(0.02)
        inside.remove(trial.check.name)
        return verdict(trial)

    parallel = ParallelTrials(Stage(one=real, two=real, three=real), place)
    trials = [trial(name, "real") for name in ("one", "two", "three")]
    parallel.begin(trials)
    assert all(parallel.verdict(each) is not None for each in trials)
    parallel.end()
    assert most == 1


def test_at_the_end_what_is_at_work_is_hurried() -> None:
    """What has not begun never does."""
    begun, hurried = threading.Event(), threading.Event()

    def goes_on(trial: Trial, on_start: OnStart) -> Verdict:
        clock = moving()
        on_start(clock)
        clock.join(Idle())
        begun.set()
        while time.monotonic() < clock.budget_end:
            time.sleep(0.01)
        hurried.set()
        return dies(trial, on_start)

    many = {f"n{number}": goes_on for number in range(20)}
    stage = Stage(**many)
    parallel = ParallelTrials(stage, place)
    parallel.begin([trial(name) for name in many])
    assert begun.wait(LIMIT)
    parallel.end()
    assert hurried.is_set()
    assert len(stage.played) < len(many)


@pytest.mark.parametrize("is_alone", [False, True])
def test_cut_short_there_are_no_verdicts_more(is_alone: bool) -> None:
    """Not of what is at work, be it beside others or alone, nor of what has not begun."""
    at_work = threading.Event()

    def goes_on(trial: Trial, on_start: OnStart) -> Verdict:
        clock = moving()
        on_start(clock)
        if is_alone and threading.current_thread() is not threading.main_thread():
            return dies(trial, on_start)
        at_work.set()
        while clock.budget > 0:
            time.sleep(0.01)
        return dies(trial, on_start)

    parallel = ParallelTrials(Stage(goes_on=goes_on, passes=passes), place)
    trials = [trial("goes_on"), trial("passes", "real")]
    parallel.begin(trials[:1])

    def cut_short() -> None:
        at_work.wait(LIMIT)
        parallel.cut_short()

    ender = threading.Thread(target=cut_short)
    ender.start()
    ended = parallel.verdict(trials[0])
    ender.join()
    parallel.begin(trials[1:])
    # What plays alone ends with a verdict, which whoever cut it short does not count.
    assert ended is None or is_alone
    assert parallel.verdict(trials[1]) is None
    assert parallel.is_over
    parallel.end()


def test_workspaces_are_bounded_in_number_and_all_closed() -> None:
    places: list[Place] = []
    going_on = threading.Event()
    many = [f"n{number}" for number in range(_MOST_WORKSPACES + 10)]

    def lay_out(trial: Trial) -> Workspace:
        places.append(Place(trial))
        return cast(Workspace, places[-1])

    def waits(trial: Trial, on_start: OnStart) -> Verdict:
        assert going_on.wait(LIMIT)
        return verdict(trial)

    parallel = ParallelTrials(Stage(**dict.fromkeys(many, waits)), lay_out)
    trials = [trial(name) for name in many]
    parallel.begin(trials)
    give_up = time.monotonic() + LIMIT
    while len(places) < _MOST_WORKSPACES and time.monotonic() < give_up:
        time.sleep(0.001)
    time.sleep(0.05)  # for one too many
    assert len(places) == _MOST_WORKSPACES
    going_on.set()
    assert all(parallel.verdict(each) is not None for each in trials)
    parallel.end()
    assert len(places) == len(many)
    assert all(place.closed for place in places)


def test_what_cannot_be_laid_out_is_left_to_pytest() -> None:
    def lay_out(trial: Trial) -> Workspace:
        raise OSError("no space left on device")

    parallel = ParallelTrials(Stage(), lay_out)
    trials = [trial("one"), trial("two")]
    parallel.begin(trials)
    assert [parallel.verdict(each) for each in trials] == [None, None]
    parallel.end()


def test_what_is_no_exception_is_left_to_pytest() -> None:
    def skips(trial: Trial, on_start: OnStart) -> Verdict:
        pytest.skip("not today")

    parallel = ParallelTrials(Stage(one=skips), place)
    parallel.begin([trial("one")])
    assert parallel.verdict(trial("one")) is None
    parallel.end()


class Idle:
    """A party of which nobody wants anything."""

    next_moment = None
    has_pending_messages = False

    def grant(self, now: Span) -> None: ...

    def wait_until_idle(self) -> None: ...

    def deliver(self) -> bool:
        return False

    def fail_waiting(self, reason: str) -> bool:
        return False

    def watch(self, loop: object) -> None: ...


def test_a_budget_that_begins_later_is_hurried_as_well() -> None:
    late = moving()
    late.shorten_budget(0)
    late.join(Idle())
    assert late.budget_end <= time.monotonic()
    late.renew_budget()
    assert late.budget_end <= time.monotonic()
