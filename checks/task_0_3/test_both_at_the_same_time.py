"""Checks of task 0.3."""

from checks.support.timeline import (
    expect_free_loop,
    expect_import_does_nothing,
    expect_order,
    expect_step_at,
    expect_timestamps,
)
from ml_api_lab.check import Clock, Task, points, seconds

STEPS = [
    "Starting",
    "Created task 1",
    "Created task 2",
    "Awaited task 1",
    "Awaited task 2",
]


@points(2, hint="Compare what it prints with the list in the docstring, line by line.")
async def test_it_prints_every_step_in_order(task: Task) -> None:
    """It says that it starts, has created each task, and has awaited each task."""
    expect_order(await task.run(), STEPS)


@points(2, hint="When does a task begin to run: when it is created, or when it is awaited?")
async def test_it_takes_as_long_as_the_slower_task(task: Task) -> None:
    """Both tasks together take 7 s, and Task 1 finishes after 3 s."""
    run = await task.run()
    assert run.elapsed == seconds(7), (
        f"The script took {run.elapsed}; right is 7 s, as long as the slower task alone."
    )
    expect_step_at(run, "Finished task Task 1", seconds(3), first=STEPS[0])
    expect_step_at(run, "Finished task Task 2", seconds(7), first=STEPS[0])


@points(2, hint="What has to be done before the first await?")
async def test_it_creates_both_before_it_waits(task: Task) -> None:
    """Both tasks are created at once, and awaited after that."""
    run = await task.run()
    for name in STEPS[1:3]:
        expect_step_at(run, name, seconds(0), first=STEPS[0])
    # Who waits for both together (gather, TaskGroup) goes on when both are done.
    expect_step_at(run, STEPS[3], seconds(3), seconds(7), first=STEPS[0])
    expect_step_at(run, STEPS[4], seconds(7), first=STEPS[0])


@points(1, hint="Which kind of sleep gives the loop back while it waits?")
async def test_the_loop_stays_free(task: Task) -> None:
    """While both wait, another coroutine on the same loop gets its turn every second."""
    expect_free_loop(await task.run(beat=seconds(1)), 7)


@points(1, hint="When is the time read that a line shows?")
async def test_every_step_shows_its_time(task: Task, clock: Clock) -> None:
    """Each step ends with the time at which it happened."""
    await expect_timestamps(task, clock, STEPS)


@points(2, hint="What is __name__ in a file that is run, and in one that is imported?")
async def test_imported_it_does_nothing(task: Task) -> None:
    """Run as a script it goes to work; imported it does nothing."""
    await expect_import_does_nothing(task)
