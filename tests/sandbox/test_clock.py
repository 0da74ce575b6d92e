"""Lab time between the two sides, proved by recorded orders of events."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable
from typing import Any

import pytest

from ml_api_lab.check import Span, SubmissionFault, answered_at, milliseconds, seconds, took
from ml_api_lab.errors import CourseError, Dead, StartFailed
from ml_api_lab.lab_time import NS, RoughSpan, time_of_day
from ml_api_lab.sandbox.clock import HORIZON, Clock, LabClock, LabLoop, new_loop
from ml_api_lab.task import Task
from tests.support.toy import LIMIT, Scenes

Scene = Callable[[Task, Clock], Any]


def at(recorded: list[tuple[Span, str]]) -> list[tuple[float, str]]:
    return [(int(moment) / NS, event) for moment, event in recorded]


# --- the checks' loop by itself -------------------------------------------------------------------


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
        party = Scripted(seconds(3))
        grant = party.grant
        party.grant = lambda now: (grant(now), events.append("party"))[0]  # type: ignore[method-assign]
        loop.clock.join(party)
        await asyncio.sleep(3)
        return [*events, "check"]

    assert run(main) == ["party", "check"]


# --- spans ----------------------------------------------------------------------------------------


def test_spans_read_like_seconds() -> None:
    assert str(seconds(3) + milliseconds(500)) == "3.5 s"
    assert f"{seconds(2) - 1:>14}" == "2 s".rjust(14)
    assert repr(milliseconds(1)) == "0.001 s"
    assert time_of_day(seconds(3661.5)) == "10:01:01.500"


def test_rough_spans_compare_with_a_tolerance() -> None:
    rough = RoughSpan(seconds(3.3))
    assert rough == seconds(3)
    assert rough != seconds(2)
    assert rough <= seconds(3) <= rough
    assert not rough < seconds(3)
    assert not rough > seconds(3)
    assert rough > seconds(2)
    assert rough < seconds(4)
    assert isinstance(rough - seconds(1), RoughSpan)
    assert rough != "3 s"
    assert len({rough, RoughSpan(seconds(3.3))}) == 1


# --- a submission ---------------------------------------------------------------------------------

APP = """
import asyncio, time
from fastapi import BackgroundTasks, FastAPI

app = FastAPI()

@app.get("/sleep/{delay}")
async def wait(delay: float):
    await asyncio.sleep(delay)

@app.get("/block/{delay}")
async def block(delay: float):
    time.sleep(delay)

@app.get("/thread/{delay}")
def thread(delay: float):
    time.sleep(delay)

@app.get("/twice/{delay}")
def twice(delay: float):
    time.sleep(delay); print("half"); time.sleep(delay)

def log(delay):
    time.sleep(delay); print("logged")

@app.get("/background/{delay}")
async def background(delay: float, tasks: BackgroundTasks):
    tasks.add_task(log, delay)

@app.get("/now")
async def now():
    return time.strftime("%X")

@app.get("/forever")
async def forever():
    await asyncio.Event().wait()

@app.get("/beat")
async def beat():
    while True:
        await asyncio.sleep(1)
"""


def served(apps: Scenes, scene: Callable[[Any, Clock, Task], Any]) -> Any:
    async def play(task: Task, clock: Clock) -> Any:
        async with task.serve() as client:
            return await scene(client, clock, task)

    return apps.play(APP, play)


def test_two_requests_share_the_wait(apps: Scenes) -> None:
    async def scene(client: Any, clock: Clock, task: Task) -> list[Span]:
        answers = await asyncio.gather(client.get("/sleep/2"), client.get("/thread/3"))
        assert clock.now == seconds(3)
        return [took(each) for each in answers]

    assert served(apps, scene) == [seconds(2), seconds(3)]


def test_requests_queue_behind_a_blocked_loop(apps: Scenes) -> None:
    async def scene(client: Any, clock: Clock, task: Task) -> list[tuple[float, str]]:
        events: list[tuple[Span, str]] = []

        async def get(path: str, after: float) -> None:
            await asyncio.sleep(after)
            response = await client.get(path)
            events.append((answered_at(response), f"{path} {response.text}"))

        await asyncio.gather(get("/block/3", 0), get("/now", 1), get("/now", 2), get("/now", 4))
        return at(events)

    assert served(apps, scene) == [
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
        return at(events)

    # At the same moment (1 s) the submission comes before the check.
    assert served(apps, scene) == [
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

    assert served(apps, scene) == [0, 0, 0, 0, 0, 1]


def test_the_answer_does_not_wait_for_work_behind_it(apps: Scenes) -> None:
    async def scene(client: Any, clock: Clock, task: Task) -> tuple[Span, Span, list[Any]]:
        first = await client.get("/background/5")
        other = await client.get("/now")
        await asyncio.sleep(7)
        return took(first), took(other), [(line.at, line.text) for line in task.transcript.lines]

    assert served(apps, scene) == (0, 0, [(seconds(5), "logged")])


@pytest.mark.parametrize(("number", "span"), [(40, 1), (41, 2), (81, 3)])
def test_sync_endpoints_have_forty_threads(number: int, span: int, apps: Scenes) -> None:
    async def scene(client: Any, clock: Clock, task: Task) -> dict[float, int]:
        answers = await asyncio.gather(*(client.get("/thread/1") for _ in range(number)))
        spans = [int(took(each)) / NS for each in answers]
        return {each: spans.count(each) for each in spans}

    full = {second + 1: 40 for second in range(span - 1)}
    assert served(apps, scene) == {**full, span: number - 40 * (span - 1)}


def test_a_thread_sleeps_twice_beside_others(apps: Scenes) -> None:
    async def scene(client: Any, clock: Clock, task: Task) -> list[Any]:
        await asyncio.gather(client.get("/twice/1.5"), client.get("/twice/1"))
        return [(line.at / NS, line.text) for line in task.transcript.lines] + [clock.now / NS]

    assert served(apps, scene) == [(1, "half"), (1.5, "half"), 3]


def test_five_hundred_requests_at_once(apps: Scenes) -> None:
    async def scene(client: Any, clock: Clock, task: Task) -> set[Span]:
        answers = await asyncio.gather(*(client.get("/sleep/1") for _ in range(500)))
        return {took(each) for each in answers}

    assert served(apps, scene) == {seconds(1)}


def test_every_run_is_the_same(apps: Scenes) -> None:
    async def scene(client: Any, clock: Clock, task: Task) -> list[tuple[float, str]]:
        events: list[tuple[Span, str]] = []

        async def get(path: str) -> None:
            await client.get(path)
            events.append((clock.now, path))

        paths = [f"/{kind}/{delay}" for kind in ("sleep", "twice") for delay in (1, 2, 1, 0.5, 1.5)]
        await asyncio.gather(*map(get, paths))
        return at(events)

    runs = [served(apps, scene) for _ in range(8)]
    assert all([each for each, _ in run] == [each for each, _ in runs[0]] for run in runs)
    # Threads of one moment run at once, so their order among themselves is theirs.
    assert all(sorted(run) == sorted(runs[0]) for run in runs)
    assert runs[0][0] == (0.5, "/sleep/0.5")


def test_a_client_that_goes_away_is_told_apart(apps: Scenes) -> None:
    async def scene(client: Any, clock: Clock, task: Task) -> str:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(2):
                await client.get("/sleep/9")
        assert clock.now == seconds(2)
        return str((await client.get("/now")).text)

    assert served(apps, scene) == '"09:00:02"'


def test_an_answer_that_breaks_off_is_no_answer(apps: Scenes) -> None:
    source = """
        from fastapi import FastAPI
        from fastapi.responses import StreamingResponse

        app = FastAPI()

        def rows():
            yield "begun"
            raise ValueError("half way")

        @app.get("/")
        async def get():
            return StreamingResponse(rows())
    """

    async def scene(task: Task, clock: Clock) -> list[str]:
        async with task.serve() as client:
            with pytest.raises(SubmissionFault) as broken:
                await client.get("/")
            return [str(broken.value), *(text for _, text in task.transcript.entries)]

    sentence, asked, noted = apps.play(source, scene)
    assert sentence == (
        "GET / was answered 200, and broken off by ValueError: half way (task_9_9/main.py:9 "
        "in rows)."
    )
    assert (asked, noted) == ("-> GET /", f"!! {sentence}")


@pytest.mark.skipif(os.name != "posix", reason="no process can be stopped there")
def test_a_death_is_noticed_by_who_asks_next_on_the_wall_clock(apps: Scenes) -> None:
    """Before the loop has seen that the link is closed."""

    async def scene(task: Task, clock: Clock) -> list[str]:
        async with task.serve() as client:
            pid = (await client.get("/pid")).json()
            os.kill(pid, signal.SIGSTOP)
            first = asyncio.ensure_future(client.get("/pid"))
            await asyncio.sleep(0.1)
            os.kill(pid, signal.SIGKILL)
            time.sleep(0.1)  # the loop sees nothing meanwhile
            async with asyncio.timeout(LIMIT):
                failed = await asyncio.gather(first, client.get("/pid"), return_exceptions=True)
            return [str(each) for each in failed]

    source = """
        import os

        from fastapi import FastAPI

        app = FastAPI()
        app.get("/pid")(os.getpid)
    """
    killed = "The application, asked for GET /pid, was ended by SIGKILL."
    assert apps.play(source, scene, clock="real") == [killed] * 2


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
        return at(events)

    assert apps.play(APP, play) == [
        (0, 'two "09:00:00"'),
        (1, "two null"),
        (2, "one null"),
        (2, 'two "09:00:02"'),
    ]


def test_a_beat_shows_whether_the_loop_is_free(scripts: Scenes) -> None:
    async def scene(task: Task, clock: Clock) -> list[float]:
        run = await task.run(beat=seconds(1))
        return [each / NS for each in run.beats]

    source = "import asyncio, time\nasync def main():\n    {}\nasyncio.run(main())"
    free = source.format("await asyncio.sleep(3.5)")
    blocked = source.format("time.sleep(3.5); await asyncio.sleep(0.5)")
    assert scripts.play(free, scene) == [1, 2, 3]
    assert scripts.play(blocked, scene) == [3.5]


# --- what never ends ------------------------------------------------------------------------------


def fault(scenes: Scenes, scene: Scene, source: str = APP) -> str:
    with pytest.raises(SubmissionFault) as raised:
        scenes.play(source, scene)
    return str(raised.value)


async def forever(task: Task, clock: Clock) -> None:
    async with task.serve() as client:
        await client.get("/forever")


async def beating(task: Task, clock: Clock) -> None:
    async with task.serve() as client:
        await client.get("/beat")


async def script(task: Task, clock: Clock) -> None:
    await task.run()


async def starting(task: Task, clock: Clock) -> None:
    async with task.serve():
        pass


def line(source: str, text: str) -> int:
    return next(n for n, each in enumerate(source.splitlines(), 1) if text in each)


def test_a_request_that_waits_for_nothing(apps: Scenes) -> None:
    said = fault(apps, forever)
    assert said.startswith(
        "The application, asked for GET /forever, has waited and nothing is left that could make "
        "it go on; it stands at "
    )
    assert said.endswith(f"main.py:{line(APP, 'Event().wait')} in forever.")


def test_a_request_beyond_the_horizon(apps: Scenes) -> None:
    said = fault(apps, beating)
    assert said.startswith(
        "The application, asked for GET /beat, has waited for more than 600 s of lab time; "
        "it stands at "
    )
    assert said.endswith("in beat.")


def test_a_script_that_waits_for_nothing(scripts: Scenes) -> None:
    said = fault(scripts, script, "import threading\nthreading.Event().wait()\n")
    assert said.startswith(
        "The script main.py has waited and nothing is left that could make it go on"
    )
    assert said.endswith("main.py:2.")


def test_two_threads_that_wait_for_each_other(scripts: Scenes) -> None:
    source = """\
import threading, time
a, b = threading.Lock(), threading.Lock()
def take(first, second):
    with first:
        time.sleep(1)
        with second:
            pass
threading.Thread(target=take, args=(a, b)).start()
threading.Thread(target=take, args=(b, a)).start()
"""
    said = fault(scripts, script, source)
    assert "has waited and nothing is left" in said
    assert f"main.py:{line(source, 'with second')} in take" in said


def test_a_startup_that_waits_for_nothing(apps: Scenes) -> None:
    source = """\
import asyncio
from contextlib import asynccontextmanager
from fastapi import FastAPI
@asynccontextmanager
async def lifespan(app):
    await asyncio.Event().wait()
    yield
app = FastAPI(lifespan=lifespan)
"""
    said = fault(apps, starting, source)
    assert said.startswith("Importing or starting main.py has waited and nothing is left")
    assert said.endswith("main.py:6 in lifespan.")


def test_a_check_that_waits_beside_a_submission(apps: Scenes) -> None:
    async def scene(task: Task, clock: Clock) -> None:
        async with task.serve():
            await asyncio.Event().wait()

    with pytest.raises(CourseError, match="The check itself waits"):
        apps.play(APP, scene)


def test_a_check_that_waits_beside_a_beating_submission(apps: Scenes) -> None:
    """The submission's timers alone do not keep a check alive for ever."""

    async def scene(task: Task, clock: Clock) -> None:
        async with task.serve() as client:
            beating = asyncio.create_task(client.get("/beat"))
            await asyncio.sleep(1)
            beating.cancel()
            await asyncio.Event().wait()

    with pytest.raises(CourseError, match="The check itself waits"):
        apps.play(APP, scene)


def test_a_check_may_wait_long(apps: Scenes) -> None:
    """The horizon is for waits without an end in sight: a timer of the check's is one."""

    async def scene(task: Task, clock: Clock) -> Span:
        async with task.serve() as client:
            beating = asyncio.create_task(client.get("/beat"))
            await asyncio.sleep(int(HORIZON) / NS * 3)
            beating.cancel()
            return clock.now

    assert apps.play(APP, scene) == HORIZON + HORIZON + HORIZON


def test_the_budget_is_of_real_time(scripts: Scenes) -> None:
    began = time.monotonic()
    with pytest.raises(Dead) as raised:
        scripts.play("import time\nwhile True:\n    pass\n", script, budget=1)
    assert str(raised.value).startswith(
        "The script main.py did not come to rest within 1 s of real time (it was at "
    )
    assert str(raised.value).endswith(
        "): it computes without end (for which no lab time passes), or waits for something outside "
        "the lab."
    )
    assert "main.py:2" in str(raised.value) or "main.py:3" in str(raised.value)
    assert time.monotonic() - began < 30


def test_start_failed_tells_the_kind(apps: Scenes) -> None:
    with pytest.raises(StartFailed) as raised:
        apps.play("app = 1 / 0", starting)
    assert (raised.value.kind, raised.value.text) == ("ZeroDivisionError", "division by zero")


# --- the wall clock -------------------------------------------------------------------------------


def test_the_wall_clock_tells_the_same(apps: Scenes) -> None:
    async def play(task: Task, clock: Clock) -> list[bool]:
        async with task.serve() as client:
            one, two = await asyncio.gather(client.get("/sleep/1"), client.get("/thread/1"))
            return [took(one) == seconds(1), took(two) == seconds(1), clock.elapsed == seconds(1)]

    # Its tolerance is for the lab's own overhead; a busy machine may need more than one attempt.
    assert any(apps.play(APP, play, clock="real") == [True, True, True] for _ in range(5))


def test_a_lab_clock_begins_at_nought() -> None:
    assert LabClock(1).now == 0
