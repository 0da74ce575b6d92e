"""Judging the event loop of a script: is there one, is it free, and what is made a task on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.support.timeline import do_overlap, hide_marks
from ml_api_lab.check import Hinted, Span, seconds

if TYPE_CHECKING:
    from ml_api_lab.check import Task

# Awaits main, or slow_task where main cannot be awaited, beside a coroutine that keeps the beat.
_BEATING_CALLER = """\
import asyncio
import inspect

import main


async def beat():
    while True:
        await asyncio.sleep(1)
        print("{marker} beat", flush=True)


async def attempt():
    ticking = asyncio.create_task(beat())
    print("{marker} begins", flush=True)
    for call in (lambda: main.main(), lambda: main.slow_task("Cake", 4)):
        try:
            made = call()
        except Exception:
            continue
        if inspect.isawaitable(made):
            await made
            print("{marker} ends", flush=True)
            break
    ticking.cancel()


asyncio.run(attempt())
"""
# Runs main.py as a script, and says whenever something is made a task: all ways to do so end there.
# Those in which asyncio.run ends its loop are none of main's.
_COUNTING_CALLER = """\
import runpy
from asyncio.base_events import BaseEventLoop

create_task = BaseEventLoop.create_task
ends = [BaseEventLoop.shutdown_asyncgens, BaseEventLoop.shutdown_default_executor]
codes = [each.__code__ for each in ends]


def told(loop, coro, **options):
    if getattr(coro, "cr_code", None) not in codes:
        print({marker!r}, flush=True)
    return create_task(loop, coro, **options)


BaseEventLoop.create_task = told
runpy.run_path("main.py", run_name="__main__")
"""


async def expect_free_loop(task: Task, length: int, *, must_be_awaited: bool = False) -> None:
    """Assert that another coroutine has its turn every second while the submission waits.

    It does while `main.py` runs as a script, on whichever loop that is, and on the very loop on
    which `main` is awaited: the free loop of another thread is not the one that waits. How long it
    takes in all is another check's question.

    Args:
        length: how many seconds are right.
        must_be_awaited: whether the task asks for a `main` or a `slow_task` that can be awaited.
    """
    run = await task.run(beat=seconds(1))
    assert run.lines, "Run as a script, main.py printed nothing; right is that it runs both tasks."
    if not run.beats and (await count_tasks(task))[0] is None:
        overlap = do_overlap(run, "Finished task Task 1", "Starting task Task 2")
        seen = ", and both tasks ran at the same time, as threads do" if overlap else ""
        raise Hinted(
            f"No event loop ran{seen}; right is an async def main that asyncio.run runs, on a loop "
            f"that stays free for all of the {length} s.",
            "What starts an event loop, and what does async in front of def change?",
        )
    expect_beats(run.beats, run.elapsed, length)
    marker = f"{task.draw.getrandbits(32):08x}"
    task.files.write("try_main.py", _BEATING_CALLER.format(marker=marker))
    run = await task.run("try_main.py", may_fail=True)
    hide_marks(task, marker)
    moments = {
        word: [each.at for each in run.lines if each.text == f"{marker} {word}"]
        for word in ("begins", "beat", "ends")
    }
    if not moments["begins"] or not (moments["ends"] or must_be_awaited):
        return  # it cannot be imported, or not be run like that: another check's question
    raised = f"raised {run.error}" if run.error else "was not possible"
    assert moments["ends"], (
        f"Awaiting main and slow_task {raised}; "
        "right is that they can be awaited, and leave the event loop free while they wait."
    )
    begin = moments["begins"][0]
    beats = [Span.__sub__(each, begin) for each in moments["beat"]]
    expect_beats(beats, Span.__sub__(moments["ends"][0], begin), length)


def expect_beats(beats: list[Span], elapsed: Span, length: int) -> None:
    """Assert that there was a beat at every second, but for those after the end."""
    # At the moment of the end, either may come first.
    end = next((n for n in range(1, length) if elapsed < seconds(n + 0.5)), length)
    missed = [n for n in range(1, end) if not any(beat == seconds(n) for beat in beats)]
    if missed:
        raise Hinted(
            f"Something blocked the event loop: at {missed[0]} s nothing else could run; right is "
            f"that the loop stays free for all of the {length} s.",
            "Which kind of sleep gives the loop back while it waits?",
        )
    if end <= 1:
        raise Hinted(
            f"The script ended after {elapsed}; right is after {length} s.",
            "For what does main wait before it ends?",
        )


async def count_tasks(task: Task) -> tuple[int | None, int]:
    """Return how many tasks the script makes at once, beside main's, and how many later.

    The first is None without a loop. What this run prints is left out of the card.
    """
    printed = len(task.transcript.lines)
    marker = f"-- a task is made (mark {task.draw.getrandbits(32):08x}) --"
    task.files.write("count_tasks.py", _COUNTING_CALLER.format(marker=marker))
    run = await task.run("count_tasks.py", may_fail=True)
    del task.transcript.lines[printed:]
    moments = [line.at for line in run.lines if line.text == marker]
    at_once = [each for each in moments if each < moments[0] + seconds(1)]
    return (len(at_once) - 1 if at_once else None), len(moments) - len(at_once)
