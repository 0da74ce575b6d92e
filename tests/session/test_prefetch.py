"""Work ahead of its turn: side by side, only passes are taken from it, and one failure ends it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ml_api_lab.sandbox.clock import Clock, LabClock
from ml_api_lab.session.prefetch import _LAID_OUT, Ahead
from tests.support.toy import LIMIT, Course

Know = Callable[[Clock], None]


class Place:
    """Where a check works: it remembers that it was closed."""

    def __init__(self, check: str) -> None:
        self.check = check
        self.closed = False

    def close(self) -> None:
        self.closed = True


def clock(now: float = 0) -> Clock:
    clock = LabClock(LIMIT)
    clock._now = round(now * 1e9)
    return clock


def test_several_run_side_by_side() -> None:
    together = threading.Barrier(2, timeout=LIMIT)

    def perform(check: str, place: Place, know: Know) -> None:
        know(clock(3))
        together.wait()

    ahead = Ahead(Place, perform)
    ahead.begin(["one", "two"])
    seen = [ahead.passed(check) for check in ("one", "two")]
    ahead.end()
    assert [each.lab_time for each in seen if each is not None] == [3_000_000_000] * 2


def test_the_first_failure_ends_it() -> None:
    """What has passed stays so; what is at work is hurried; what has not begun never does."""
    begun: list[str] = []
    failing, hurried = threading.Event(), threading.Event()

    def perform(check: str, place: Place, know: Know) -> None:
        assert place.check == check
        begun.append(check)
        moving = clock()
        know(moving)
        if check == "fails":
            assert failing.wait(LIMIT)
            raise AssertionError
        if check == "goes on":
            failing.set()
            moving.join(Idle())
            while time.monotonic() < moving.budget_end:
                time.sleep(0.01)
            hurried.set()
            raise AssertionError

    ahead = Ahead(Place, perform)
    ahead.begin(["passes"])
    passed = ahead.passed("passes")
    ahead.begin(["goes on", "fails"])
    assert ahead.passed("fails") is None
    # Whoever runs in its turn now runs alone.
    assert hurried.is_set()
    ahead.begin(["too late"])
    assert passed is not None
    assert ahead.passed("goes on") is None
    assert ahead.passed("too late") is None
    assert sorted(begun) == ["fails", "goes on", "passes"]


def test_what_is_laid_out_in_vain_is_closed() -> None:
    places: dict[str, Place] = {}
    failing = threading.Event()
    many = [str(number) for number in range(_LAID_OUT + 10)]

    def lay_out(check: str) -> Place:
        places[check] = Place(check)
        return places[check]

    def perform(check: str, place: Place, know: Know) -> None:
        assert failing.wait(LIMIT)
        place.close()
        raise AssertionError

    ahead = Ahead(lay_out, perform)
    ahead.begin(many)
    budget_end = time.monotonic() + LIMIT
    while len(places) < _LAID_OUT and time.monotonic() < budget_end:
        time.sleep(0.001)
    time.sleep(0.05)  # for one too many
    assert len(places) == _LAID_OUT
    failing.set()
    assert {ahead.passed(check) for check in many} == {None}
    ahead.end()
    assert all(place.closed for place in places.values())


def test_what_cannot_be_laid_out_runs_in_its_turn() -> None:
    def lay_out(check: str) -> Place:
        raise OSError("no space left on device")

    def perform(check: str, place: Place, know: Know) -> None:
        raise AssertionError("there is no place for it")

    ahead = Ahead(lay_out, perform)
    ahead.begin(["one", "two"])
    assert [ahead.passed(check) for check in ("one", "two")] == [None, None]
    ahead.end()


class Idle:
    """A party of which nobody wants anything."""

    next = None
    posted = False

    def grant(self, now: int) -> None: ...

    def settle(self) -> None: ...

    def deliver(self) -> bool:
        return False

    def stall(self, reason: str) -> bool:
        return False

    def attach(self, loop: object) -> None: ...


def test_a_budget_that_begins_later_is_hurried_as_well() -> None:
    late = clock()
    late.shorten_budget(0)
    late.join(Idle())
    assert late.budget_end <= time.monotonic()
    late.renew_budget()
    assert late.budget_end <= time.monotonic()


ALONE = '''
import threading

def alone():
    return threading.current_thread() is threading.main_thread()

@points(1, hint="?")
async def test_is_begun_ahead(task: Task):
    """It runs ahead, and passes."""
    assert not alone(), "It ran in its turn."

@on_the_wall_clock
@points(1, hint="?")
async def test_talks_to_a_process(task: Task):
    """What runs on the wall clock runs in its turn."""
    assert alone(), "It ran ahead."

@points(1, hint="?")
async def test_is_begun_ahead_again(task: Task):
    """The next stretch runs ahead as well."""
    assert not alone(), "It ran in its turn."

@pytest.mark.parametrize("number", [1, 2])
@points(1, hint="?")
async def test_has_cases(task: Task, number: int):
    """What asks pytest for more runs in its turn."""
    assert alone(), "It ran ahead."

@points(1, hint="?")
async def test_fails_in_company(task: Task, clock: Clock):
    """It fails ahead and passes in its turn."""
    assert alone(), "It ran in company."

@points(1, hint="?")
async def test_comes_behind_a_failure(task: Task):
    """After a failure each runs in its turn."""
    run = await task.run()
    assert run.output == "hello", run.output

@points(1, hint="?")
async def test_takes_a_fixture(task: Task, tmp_path):
    """What asks pytest for more runs in its turn."""
    assert alone(), "It ran ahead."

@points(3, hint="?")
async def test_runs_alone_once_one_has_failed(task: Task):
    """After a failure each runs in its turn."""
    assert alone(), "It ran ahead."
'''


def test_only_a_pass_is_taken_from_it(tmp_path: Path) -> None:
    course = Course(tmp_path / "course")
    course.task("task_0_1", ALONE, "print('hello')")
    result = course.run("-v")
    assert result.messages == {}
    assert (result.status, result.score) == (0, (10, 10))
    assert result.text.count("test_is_begun_ahead PASSED") == 1


MEETING = '''
@points(5, hint="?")
async def test_one(task: Task):
    """They meet."""
    run = await task.run()
    assert run.output == "met", f"It printed {run.output!r}."

@points(5, hint="?")
async def test_two(task: Task):
    """They meet."""
    run = await task.run()
    assert run.output == "met", f"It printed {run.output!r}."
'''
MEETS = """
import os
from pathlib import Path

def lives(pid):
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True

place = Path({place!r})
(place / str(os.getpid())).touch()
both = place.parent / "both"
while not both.exists():
    if sum(lives(int(each.name)) for each in place.iterdir()) == 2:
        both.touch()
print("met")
"""


@pytest.mark.skipif(os.name != "posix", reason="looks for other processes by signal 0")
def test_two_submissions_are_at_work_at_once(tmp_path: Path) -> None:
    """Each waits in real time until the other lives as well: in turn, both would wait for ever."""
    (tmp_path / "place").mkdir()
    course = Course(tmp_path / "course")
    course.task("task_0_1", MEETING, MEETS.format(place=str(tmp_path / "place")))
    result = course.run("--budget=60")
    assert result.messages == {}
    assert result.score == (10, 10)
