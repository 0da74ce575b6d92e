"""The handout's pictures: time lines of what tasks really do in lab time.

`PICTURES` has one function for each file of `docs/pictures/`. It plays the task's reference
solution, and a known mistake where the handout shows one, and returns the time line of what
happened.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

from checks.support import prediction_log
from checks.support.predictions import FEATURES
from ml_api_lab.check import Clock, Run, Task, milliseconds, seconds
from ml_api_lab.grading.timeline import Bar, Lane, Mark, Panel, TimeLine, Tone
from ml_api_lab.sandbox.transcript import RequestRecord
from tests.handout.player import SYLLABUS, Player

_BEAT = seconds(1)
_PREDICT = "/predict/random_forest"
_FLOWER = dict(zip(FEATURES, (5.1, 3.5, 1.4, 0.2), strict=True))
_KEY = {"X-API-Key": "change-me"}


def _title(task: str) -> str:
    entry = SYLLABUS.entry(task)
    return f"Task {entry.number}: {entry.title}"


def script(player: Player, task: str) -> TimeLine:
    """Draw each wait of a script of Part 0, and the turns of another coroutine on its loop."""

    async def scene(task: Task, clock: Clock) -> Run:
        return await task.run("main.py", beat=_BEAT)

    run = player.solution(task, scene)
    began: dict[str, int] = {}
    lanes = []
    tone = Tone.FREE if run.beats else Tone.BLOCKING
    for line in run.lines:
        if match := re.match(r"(Starting|Finished) task (.+):? \d\d:", line.text):
            step, name = match[1], match[2].rstrip(":")
            if step == "Starting":
                began[name] = line.at
            else:
                lanes.append(Lane(name, (Bar(began.pop(name), line.at, tone=tone),)))
    lanes.append(Lane("turns of others", marks=tuple(Mark(beat) for beat in run.beats)))
    return TimeLine(_title(task), (Panel(tuple(lanes)),), until=seconds(10))


def blocked_loop(player: Player) -> TimeLine:
    """Draw a prediction, and a request to /health during its wait: blocked, then free."""

    async def scene(task: Task, clock: Clock) -> list[RequestRecord]:
        async with task.serve() as client:
            prediction = asyncio.create_task(client.post(_PREDICT, json=_FLOWER))
            await asyncio.sleep(1)
            await client.get("/health")
            await prediction
        return task.transcript.requests

    panels = []
    for heading, requests in (
        ("time.sleep in async def", player.mistake("task_3_2", "the sleep blocks the loop", scene)),
        ("await asyncio.sleep", player.solution("task_3_2", scene)),
    ):
        waits, health = requests
        held = _end(health) > health.sent
        lanes = (
            _lane(waits, Tone.BLOCKING if held else Tone.FREE),
            _lane(health, Tone.HELD_UP if held else Tone.UNDER_WAY),
        )
        panels.append(Panel(lanes, heading))
    return TimeLine(_title("task_3_2"), tuple(panels))


def background_task(player: Player) -> TimeLine:
    """Draw a prediction, the log line that is written behind it, and /health meanwhile."""

    async def scene(task: Task, clock: Clock) -> tuple[list[RequestRecord], int]:
        prediction_log.reset(task)
        async with task.serve() as client:
            await client.post(_PREDICT, json=_FLOWER)
            await asyncio.sleep(2)
            await client.get("/health")
            while not prediction_log.lines(task):
                await asyncio.sleep(milliseconds(100) / seconds(1))
            return task.transcript.requests, clock.now

    (prediction, health), written = player.solution("task_4_1", scene)
    log = Lane("predictions.jsonl", (Bar(_end(prediction), written, "one line", Tone.BEHIND),))
    lanes = (_lane(prediction, Tone.FREE), log, _lane(health, Tone.UNDER_WAY))
    return TimeLine(_title("task_4_1"), (Panel(lanes),))


def cache_hit(player: Player) -> TimeLine:
    """Draw four times the same question: before, within and after an entry's time to live."""
    lifetime = seconds(10)

    async def scene(task: Task, clock: Clock) -> tuple[list[RequestRecord], list[str]]:
        said = []
        env = {"CACHE_TTL": f"{lifetime / seconds(1):g}"}
        async with task.serve(env) as client:
            for moment in (0, 5, 12, 14):
                await asyncio.sleep((seconds(moment) - clock.now) / seconds(1))
                answer = await client.post(_PREDICT, json=_FLOWER, headers=_KEY)
                said.append(answer.headers["X-Cache"])
        return task.transcript.requests, said

    requests, said = player.solution("task_4_5", scene)
    bars = tuple(
        Bar(each.sent, _end(each), word, Tone.FREE if _end(each) > each.sent else Tone.UNDER_WAY)
        for each, word in zip(requests, said, strict=True)
    )
    stored = _end(requests[0])
    entry = Lane("the entry", (Bar(stored, stored + lifetime, "10 s to live", Tone.KEPT),))
    return TimeLine(_title("task_4_5"), (Panel((Lane(f"POST {_PREDICT}", bars), entry)),))


def _lane(asked: RequestRecord, tone: Tone) -> Lane:
    name = f"{asked.method} {asked.target}"
    return Lane(name, (Bar(asked.sent, _end(asked), f"{asked.status}", tone),))


def _end(asked: RequestRecord) -> int:
    assert asked.answered is not None, f"{asked.method} {asked.target} has no answer"
    return asked.answered


PICTURES: dict[str, Callable[[Player], TimeLine]] = {
    "task_0_1": lambda player: script(player, "task_0_1"),
    "task_0_2": lambda player: script(player, "task_0_2"),
    "task_0_3": lambda player: script(player, "task_0_3"),
    "task_3_2": blocked_loop,
    "task_4_1": background_task,
    "task_4_5": cache_hit,
}
