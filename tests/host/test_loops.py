"""Whether a submission's event loop is free, as the beats of another coroutine show."""

from __future__ import annotations

from ml_api_lab.check import seconds
from ml_api_lab.lab_time import NS
from ml_api_lab.sandbox.clock import Clock
from ml_api_lab.task import Task
from tests.support.toy import Scenes


def test_a_beat_shows_whether_the_loop_is_free(scripts: Scenes) -> None:
    async def scene(task: Task, clock: Clock) -> list[float]:
        run = await task.run(beat=seconds(1))
        return [each / NS for each in run.beats]

    source = "import asyncio, time\nasync def main():\n    {}\nasyncio.run(main())"
    free = source.format("await asyncio.sleep(3.5)")
    blocked = source.format("time.sleep(3.5); await asyncio.sleep(0.5)")
    assert scripts.play(free, scene) == [1, 2, 3]
    assert scripts.play(blocked, scene) == [3.5]


def test_a_beat_is_kept_on_a_loop_that_another_library_runs(scripts: Scenes) -> None:
    """As nest_asyncio does, which has its own functions for that."""
    source = """
    import asyncio
    from asyncio import events
    def run(self, coroutine):
        before = events._get_running_loop()
        events._set_running_loop(self)
        task = asyncio.ensure_future(coroutine, loop=self)
        while not task.done():
            self._run_once()
        events._set_running_loop(before)
    asyncio.BaseEventLoop.run_until_complete = run
    loop = asyncio.new_event_loop()
    async def inner():
        await asyncio.sleep(2)
    async def main():
        await asyncio.sleep(1)
        await inner()
    loop.run_until_complete(main())
    """

    async def scene(task: Task, clock: Clock) -> list[float]:
        run = await task.run(beat=seconds(1))
        return [each / NS for each in run.beats]

    assert scripts.play(source, scene) == [1, 2, 3]
