"""Lab time between the two sides, proved by recorded orders of events."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest

from ml_api_lab.check import Span, answered_at, seconds, took
from ml_api_lab.errors import CourseError
from ml_api_lab.lab_time import NS
from ml_api_lab.sandbox.clock import HORIZON, Clock, LabClock, LabLoop, new_loop
from ml_api_lab.task import Task
from tests.support.toy import Scenes
from tests.support.waiting_app import WAITING_APP, play_served


def in_seconds(recorded: list[tuple[Span, str]]) -> list[tuple[float, str]]:
    return [(int(moment) / NS, event) for moment, event in recorded]


def run(main: Callable[[LabLoop], Any]) -> Any:
    with asyncio.Runner(loop_factory=lambda: new_loop("lab", 60)) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, LabLoop)
        return runner.run(main(loop))


def test_timers_of_one_moment_fire_in_the_order_they_were_set() -> None:
    async def main(loop: LabLoop) -> list[str]:
        fired: list[str] = []
        for name in "abcdefgh":
            loop.call_later(2, fired.append, name)
        loop.call_later(1, fired.append, "first")
        # 0.1 + 0.2 is not 0.3 in binary, but it is the same nanosecond.
        loop.call_at(0.1 + 0.2, fired.append, "sum")
        loop.call_at(0.3, fired.append, "number")
        await asyncio.sleep(2)
        assert loop.clock.now == seconds(2)
        return fired

    assert run(main) == ["sum", "number", "first", *"abcdefgh"]


def test_a_cancelled_timer_moves_nothing() -> None:
    async def main(loop: LabLoop) -> Span:
        loop.call_later(5, print).cancel()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await asyncio.sleep(9)
        return loop.clock.now

    assert run(main) == seconds(1)


def test_a_closed_loop_takes_no_timer() -> None:
    loop = new_loop("lab", 60)
    loop.close()
    with pytest.raises(RuntimeError, match="closed"):
        loop.call_later(1, print)


def test_elapsed_counts_from_restart() -> None:
    async def main(loop: LabLoop) -> tuple[Span, Span, Span]:
        await asyncio.sleep(2.5)
        before = loop.clock.elapsed
        loop.clock.restart()
        await asyncio.sleep(1)
        return before, loop.clock.elapsed, loop.clock.now

    assert run(main) == (seconds(2.5), seconds(1), seconds(3.5))


def test_a_check_that_waits_for_nothing_is_its_authors_fault() -> None:
    async def main(loop: LabLoop) -> None:
        await loop.create_future()

    with pytest.raises(CourseError, match="The check itself waits for something that can never"):
        run(main)


class Scripted:
    """A party that acts as it is told, and remembers when."""

    def __init__(self, *moments: Span) -> None:
        self.moments = list(moments)
        self.granted: list[Span] = []
        self.has_pending_messages = False
        self.next_moment: Span | None = moments[0] if moments else None

    def grant(self, now: Span) -> None:
        self.has_pending_messages = False
        self.granted.append(now)

    def wait_until_idle(self) -> None:
        if self.moments:
            self.moments.pop(0)
        self.next_moment = self.moments[0] if self.moments else None

    def deliver(self) -> bool:
        return False

    def fail_waiting(self, reason: str) -> bool:
        return False

    def watch(self, loop: asyncio.AbstractEventLoop) -> None:
        raise NotImplementedError


def test_a_party_cannot_turn_time_back() -> None:
    """What a submission says of its next moment is used, never believed."""

    async def main(loop: LabLoop) -> list[Span]:
        await asyncio.sleep(5)
        liar = Scripted(Span(-10), seconds(2), seconds(7))
        loop.clock.join(liar)
        await asyncio.sleep(5)
        assert loop.clock.now == seconds(10)
        return liar.granted

    assert run(main) == [seconds(5), seconds(5), seconds(7)]


def test_parties_run_before_the_checks_at_the_same_moment() -> None:
    async def main(loop: LabLoop) -> list[str]:
        events: list[str] = []

        class Recording(Scripted):
            def grant(self, now: Span) -> None:
                events.append("party")
                super().grant(now)

        loop.clock.join(Recording(seconds(3)))
        await asyncio.sleep(3)
        return [*events, "check"]

    assert run(main) == ["party", "check"]


def test_two_requests_share_the_wait(apps: Scenes) -> None:
    async def scene(client: Any, clock: Clock, task: Task) -> list[Span]:
        answers = await asyncio.gather(client.get("/sleep/2"), client.get("/thread/3"))
        assert clock.now == seconds(3)
        return [took(each) for each in answers]

    assert play_served(apps, scene) == [seconds(2), seconds(3)]


def test_requests_queue_behind_a_blocked_loop(apps: Scenes) -> None:
    async def scene(client: Any, clock: Clock, task: Task) -> list[tuple[float, str]]:
        events: list[tuple[Span, str]] = []

        async def get(path: str, after: float) -> None:
            await asyncio.sleep(after)
            response = await client.get(path)
            events.append((answered_at(response), f"{path} {response.text}"))

        await asyncio.gather(get("/block/3", 0), get("/now", 1), get("/now", 2), get("/now", 4))
        return in_seconds(events)

    assert play_served(apps, scene) == [
        (3, "/block/3 null"),
        (3, '/now "09:00:03"'),
        (3, '/now "09:00:03"'),
        (4, '/now "09:00:04"'),
    ]


def test_a_timer_of_the_checks_between_two_of_the_host(apps: Scenes) -> None:
    async def scene(client: Any, clock: Clock, task: Task) -> list[tuple[float, str]]:
        events: list[tuple[Span, str]] = []

        async def get(path: str) -> None:
            await client.get(path)
            events.append((clock.now, path))

        async def tick() -> None:
            for _ in range(4):
                await asyncio.sleep(0.5)
                events.append((clock.now, "tick"))

        await asyncio.gather(tick(), get("/sleep/0.75"), get("/thread/1.25"), get("/twice/0.5"))
        return in_seconds(events)

    # At the same moment (1 s) the submission comes before the check.
    assert play_served(apps, scene) == [
        (0.5, "tick"),
        (0.75, "/sleep/0.75"),
        (1, "/twice/0.5"),
        (1, "tick"),
        (1.25, "/thread/1.25"),
        (1.5, "tick"),
        (2, "tick"),
    ]


def test_a_check_that_sleeps_sees_what_the_submission_does_then(apps: Scenes) -> None:
    async def scene(client: Any, clock: Clock, task: Task) -> list[int]:
        await client.get("/background/5")
        seen = []
        for _ in range(6):
            seen.append(len(task.transcript.lines))
            await asyncio.sleep(1)
        return seen

    assert play_served(apps, scene) == [0, 0, 0, 0, 0, 1]


@pytest.mark.parametrize(("number", "span"), [(40, 1), (41, 2), (81, 3)])
def test_sync_endpoints_have_forty_threads(number: int, span: int, apps: Scenes) -> None:
    async def scene(client: Any, clock: Clock, task: Task) -> dict[float, int]:
        answers = await asyncio.gather(*(client.get("/thread/1") for _ in range(number)))
        spans = [int(took(each)) / NS for each in answers]
        return {each: spans.count(each) for each in spans}

    full = {second + 1: 40 for second in range(span - 1)}
    assert play_served(apps, scene) == {**full, span: number - 40 * (span - 1)}


def test_a_thread_sleeps_twice_beside_others(apps: Scenes) -> None:
    async def scene(client: Any, clock: Clock, task: Task) -> list[Any]:
        await asyncio.gather(client.get("/twice/1.5"), client.get("/twice/1"))
        return [(line.at / NS, line.text) for line in task.transcript.lines] + [clock.now / NS]

    assert play_served(apps, scene) == [(1, "half"), (1.5, "half"), 3]


def test_five_hundred_requests_at_once(apps: Scenes) -> None:
    async def scene(client: Any, clock: Clock, task: Task) -> set[Span]:
        answers = await asyncio.gather(*(client.get("/sleep/1") for _ in range(500)))
        return {took(each) for each in answers}

    assert play_served(apps, scene) == {seconds(1)}


def test_every_run_is_the_same(apps: Scenes) -> None:
    async def scene(client: Any, clock: Clock, task: Task) -> list[tuple[float, str]]:
        events: list[tuple[Span, str]] = []

        async def get(path: str) -> None:
            await client.get(path)
            events.append((clock.now, path))

        paths = [f"/{kind}/{delay}" for kind in ("sleep", "twice") for delay in (1, 2, 1, 0.5, 1.5)]
        await asyncio.gather(*map(get, paths))
        return in_seconds(events)

    runs = [play_served(apps, scene) for _ in range(8)]
    assert all([each for each, _ in run] == [each for each, _ in runs[0]] for run in runs)
    # Threads of one moment run at once, so their order among themselves is theirs.
    assert all(sorted(run) == sorted(runs[0]) for run in runs)
    assert runs[0][0] == (0.5, "/sleep/0.5")


def test_two_submissions_share_one_clock(apps: Scenes) -> None:
    async def play(task: Task, clock: Clock) -> list[tuple[float, str]]:
        events: list[tuple[Span, str]] = []
        async with task.serve() as one, task.serve() as two:

            async def get(client: Any, name: str, path: str) -> None:
                response = await client.get(path)
                events.append((clock.now, f"{name} {response.text}"))

            await asyncio.gather(
                get(one, "one", "/block/2"), get(two, "two", "/now"), get(two, "two", "/sleep/1")
            )
            await get(two, "two", "/now")
        return in_seconds(events)

    assert apps.play(WAITING_APP, play) == [
        (0, 'two "09:00:00"'),
        (1, "two null"),
        (2, "one null"),
        (2, 'two "09:00:02"'),
    ]


def test_a_check_that_waits_beside_a_submission(apps: Scenes) -> None:
    async def scene(task: Task, clock: Clock) -> None:
        async with task.serve():
            await asyncio.Event().wait()

    with pytest.raises(CourseError, match="The check itself waits"):
        apps.play(WAITING_APP, scene)


def test_a_check_that_waits_beside_a_beating_submission(apps: Scenes) -> None:
    """The submission's timers alone do not keep a check alive for ever."""

    async def scene(task: Task, clock: Clock) -> None:
        async with task.serve() as client:
            beating = asyncio.create_task(client.get("/beat"))
            await asyncio.sleep(1)
            beating.cancel()
            await asyncio.Event().wait()

    with pytest.raises(CourseError, match="The check itself waits"):
        apps.play(WAITING_APP, scene)


def test_a_check_may_wait_long(apps: Scenes) -> None:
    """The horizon is for waits without an end in sight: a timer of the check's is one."""

    async def scene(task: Task, clock: Clock) -> Span:
        async with task.serve() as client:
            beating = asyncio.create_task(client.get("/beat"))
            await asyncio.sleep(int(HORIZON) / NS * 3)
            beating.cancel()
            return clock.now

    assert apps.play(WAITING_APP, scene) == HORIZON + HORIZON + HORIZON


def test_the_wall_clock_tells_the_same(apps: Scenes) -> None:
    """No less than the second that is waited for, and no more than the wall's clock went on."""

    async def play(task: Task, clock: Clock) -> tuple[list[int], int]:
        async with task.serve() as client:
            before = time.monotonic_ns()
            clock.restart()
            answers = await asyncio.gather(client.get("/sleep/1"), client.get("/thread/1"))
            spans = [*map(took, answers), clock.elapsed]
            return [int(span) for span in spans], time.monotonic_ns() - before

    spans, real = apps.play(WAITING_APP, play, clock="real")
    # A loop's timer may fire by its resolution too early.
    assert all(seconds(0.999) <= span <= real for span in spans)


def test_a_lab_clock_begins_at_nought() -> None:
    assert LabClock(1).now == 0
