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
