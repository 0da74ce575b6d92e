"""Checks of task 0.2."""

from checks.support.timeline import (
    expect_free_loop,
    expect_import_does_nothing,
    expect_order,
    expect_step_at,
    expect_timestamps,
)
from ml_api_lab.check import Clock, Task, points, seconds

STEPS = [
    "Starting task Task 1",
    "Finished task Task 1",
    "Starting task Task 2",
    "Finished task Task 2",
]
CALLER = """\
import asyncio

import main


async def attempt():
    await {call}


asyncio.run(attempt())
"""


@points(2, hint="What has to stand before the call of a coroutine function for it to run?")
async def test_it_prints_every_step_in_order(task: Task) -> None:
    """It prints the start and the end of both tasks, and says when all is done."""
    expect_order(await task.run(), [*STEPS, "All tasks finished"])


@points(2, hint="When does the second task start if you await the first one?")
async def test_it_takes_the_sum_of_both(task: Task) -> None:
    """Task 2 starts when Task 1 has finished: 3 s and 7 s."""
    run = await task.run()
    for name, right in zip(STEPS, (0, 3, 3, 10), strict=True):
        expect_step_at(run, name, seconds(right), first=STEPS[0])
    assert run.elapsed == seconds(10), f"The script took {run.elapsed}; right is 3 s and 7 s, 10 s."


@points(2, hint="Which kind of sleep gives the loop back while it waits?")
async def test_the_loop_stays_free(task: Task) -> None:
    """While it waits, another coroutine on the same loop gets its turn every second."""
    expect_free_loop(await task.run(beat=seconds(1)), 10)


@points(1, hint="What turns a function into one that can be awaited?")
async def test_both_can_be_awaited(task: Task) -> None:
    """slow_task and main are coroutine functions; slow_task takes any name and delay."""
    name = f"Cake {task.draw.randint(10, 99)}"
    delay = task.draw.choice((2, 4, 5, 6))
    one = [f"Starting task {name}", f"Finished task {name}"]
    calls = (
        (f'main.slow_task("{name}", {delay})', one, delay),
        ("main.main()", [*STEPS, "All tasks finished"], 7),
    )
    await task.load()  # whatever keeps it from being imported is told as such
    for call, steps, last in calls:
        task.files.write("try_main.py", CALLER.format(call=call))
        run = await task.run("try_main.py", may_fail=True)
        assert run.error is None, (
            f"await {call} raised {run.error}; right is that it can be awaited, as what async def "
            "makes, on a loop that runs already."
        )
        expect_order(run, steps)
        *_, begun, ended = [step for step in steps if " task " in step]
        expect_step_at(run, ended, seconds(last), first=begun)


@points(1, hint="When is the time read that a line shows?")
async def test_every_step_shows_its_time(task: Task, clock: Clock) -> None:
    """Each step ends with the time at which it happened."""
    await expect_timestamps(task, clock, STEPS)


@points(2, hint="What is __name__ in a file that is run, and in one that is imported?")
async def test_imported_it_does_nothing(task: Task) -> None:
    """Run as a script it goes to work; imported it does nothing."""
    await expect_import_does_nothing(task)
