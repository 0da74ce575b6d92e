"""What the wall-clock functions say inside a submission: the lab's day, in any time zone."""

from __future__ import annotations

import asyncio
import time

import pytest

from ml_api_lab.check import seconds
from ml_api_lab.sandbox.clock import Clock
from ml_api_lab.sandbox.runs import Run
from ml_api_lab.task import Task
from tests.support.toy import Scenes

DATES = """
import time
from datetime import date, datetime, timedelta, timezone
from time import monotonic, perf_counter, strftime, time as now

def stamp(timer=time.time):
    return timer()

began = [time.time(), now(), stamp(), time.monotonic(), monotonic(), time.perf_counter(),
         perf_counter(), time.time_ns(), time.monotonic_ns(), time.perf_counter_ns()]
time.sleep(90)
ended = [time.time(), now(), stamp(), time.monotonic(), monotonic(), time.perf_counter(),
         perf_counter(), time.time_ns(), time.monotonic_ns(), time.perf_counter_ns()]
print({round(b - a, 6) for a, b in zip(began[:7], ended[:7])})
print({b - a for a, b in zip(began[7:], ended[7:])})
print(time.strftime("%X"), strftime("%Y-%m-%d %H:%M:%S"), strftime("%H:%M", time.localtime()))
print(time.asctime(), "/", time.ctime())
print(datetime.now(), date.today(), datetime.today() == datetime.now())
print(time.time() == datetime.now().timestamp() == time.mktime(time.localtime()))
print(datetime.fromtimestamp(time.time()) == datetime.now())
print(datetime.now(timezone.utc) - datetime.now().astimezone() < timedelta(seconds=1))
print(datetime.now(timezone.utc).timestamp() == time.time(), time.gmtime()[:5])
print(isinstance(datetime.now(), datetime), type(date.today()).__name__)
"""


def written(run: Run) -> list[str]:
    return run.output.splitlines()


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Kolkata", "America/New_York"])
def test_clocks_agree(zone: str, scripts: Scenes, monkeypatch: pytest.MonkeyPatch) -> None:
    """The day begins at nine wherever the lab runs, and whatever a check asks for."""
    monkeypatch.setenv("TZ", zone)
    assert written(scripts.script(DATES, {"TZ": zone})) == [
        "{90.0}",
        "{90000000000}",
        "09:01:30 2026-01-05 09:01:30 09:01",
        "Mon Jan  5 09:01:30 2026 / Mon Jan  5 09:01:30 2026",
        "2026-01-05 09:01:30 2026-01-05 True",
        "True",
        "True",
        "True",
        "True (2026, 1, 5, 9, 1)",
        "True FakeDate",
    ]


def test_names_bound_at_import_are_lab_time(scripts: Scenes) -> None:
    """Default arguments too: cachetools' TTLCache takes `time.monotonic` for its timer."""
    source = """
    import time
    from cachetools import TTLCache
    cache = TTLCache(8, ttl=30)
    cache["a"] = 1
    time.sleep(29.9); print("a" in cache)
    time.sleep(0.2); print("a" in cache)
    """
    assert written(scripts.script(source)) == ["True", "False"]


def test_time_is_the_same_in_threads_and_on_loops(scripts: Scenes) -> None:
    source = """
    import asyncio, time, threading
    async def main():
        await asyncio.sleep(1.5)
        loop = asyncio.get_running_loop()
        began = time.monotonic()
        await asyncio.to_thread(time.sleep, 2)
        print(await asyncio.to_thread(time.strftime, "%X"), time.monotonic() - began, loop.time())
    asyncio.run(main())
    """
    assert written(scripts.script(source)) == ["09:00:03 2.0 3.5"]


def test_logging_shows_lab_time(scripts: Scenes) -> None:
    source = """
    import logging, sys, time
    logging.basicConfig(stream=sys.stdout, format="%(asctime)s %(message)s")
    time.sleep(5); logging.warning("late")
    """
    assert written(scripts.script(source)) == ["2026-01-05 09:00:05,000 late"]


def test_the_checks_see_no_frozen_time(scripts: Scenes) -> None:
    """Only the submission's clock is moved; the checks' process keeps its own."""

    async def scene(task: Task, clock: Clock) -> float:
        began = time.time()
        await task.run()
        await asyncio.sleep(500)
        assert clock.now == seconds(1000)
        return time.time() - began

    assert scripts.play("import time; time.sleep(500)", scene) < 250
