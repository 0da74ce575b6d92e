"""Checks of task 0.3."""

from checks.support.event_loop import count_tasks, expect_beats, expect_free_loop
from checks.support.timeline import (
    do_overlap,
    expect_import_does_nothing,
    expect_order,
    expect_step_at,
    expect_timestamps,
    find_step,
    lasted,
)
from ml_api_lab.check import Clock, Hinted, Task, points, seconds

STEPS = [
    "Starting",
    "Created task 1",
    "Created task 2",
    "Awaited task 1",
    "Awaited task 2",
]

WHAT_MAKES_A_TASK = "What does slow_task(...) alone make, and what makes a task of that?"


@points(2, hint="Compare what it prints with the list in the docstring, line by line.")
async def test_it_prints_every_step_in_order(task: Task) -> None:
    """It says that it starts, has created each task, and has awaited each task."""
    expect_order(await task.run(), STEPS)


@points(2, hint="When does a task begin to run: when it is created, or when it is awaited?")
async def test_it_takes_as_long_as_the_slower_task(task: Task) -> None:
    """Both tasks together take 7 s, and Task 1 finishes after 3 s."""
    run = await task.run(beat=seconds(1))
    finished = [f"Finished task Task {number}" for number in (1, 2)]
    for name in finished:
        expect_order(run, [name])  # no other check asks for the words of slow_task
    # Each task counts from when it is created: that this is at once is another check's question.
    late = lasted(run, STEPS[0], STEPS[2]) or seconds(0)
    if run.elapsed not in (seconds(7), seconds(7) + late):
        # Where a blocked loop is the reason, it is told as such.
        expect_beats(run.beats, run.elapsed, 7)
        goal = "right is 7 s, as long as the slower task alone"
        if await count_tasks(task) == (0, 0):
            raise Hinted(
                f"The script took {run.elapsed}, and made a task of neither call of slow_task; "
                f"{goal}.",
                WHAT_MAKES_A_TASK,
            )
        raise AssertionError(f"The script took {run.elapsed}; {goal}.")
    for number, right in ((1, seconds(3)), (2, seconds(7))):
        name = finished[number - 1]
        if lasted(run, STEPS[number], name) == right:
            continue
        begun = f"Starting task Task {number}"
        took = lasted(run, begun, name)
        if took != right and lasted(run, STEPS[0], name) != right:
            raise Hinted(
                f"{name!r} came {took} after {begun!r}; right is {right} after it.",
                "Which delay does each call of slow_task get?",
            )
        expect_step_at(run, name, right, first=STEPS[0])


@points(2, hint="What has to be done before the first await?")
async def test_it_creates_both_before_it_waits(task: Task) -> None:
    """Both tasks are created at once, and awaited after that."""
    run = await task.run()
    for number in (1, 2):
        # Without the line, it shows when the task begins: all lines are another check's question.
        is_told = find_step(run, STEPS[number]) is not None
        name = STEPS[number] if is_told else f"Starting task Task {number}"
        expect_step_at(run, name, seconds(0), first=STEPS[0])
    # How long the tasks take is another check's question, and that they end at all.
    ends = [lasted(run, STEPS[0], f"Finished task Task {number}") for number in (1, 2)]
    latest = max((end for end in ends if end is not None), default=seconds(0))
    for name, end in zip(STEPS[3:], ends, strict=True):
        if end is not None and find_step(run, name) is not None:
            # Who waits for both together (gather, TaskGroup) goes on when both are done.
            expect_step_at(run, name, end, latest, first=STEPS[0])
    # Tasks that run one after the other are another check's question, and so are threads.
    if do_overlap(run, "Finished task Task 1", "Starting task Task 2"):
        made, later = await count_tasks(task)
        if made is not None and made < 2:
            seen, hint = f"made {made} in all", WHAT_MAKES_A_TASK
            if later:
                seen = f"had made {made} by then, and {later} later"
                hint = (
                    "In which line does each task come to be, and what is printed before that line?"
                )
            elif not made:
                # No coroutine that is awaited in turn overlaps another.
                seen = "made none at all, from its start to its end"
                hint = (
                    "Who prints the lines of both tasks here, if not two tasks of slow_task(...)?"
                )
            raise Hinted(
                f"main printed that it had created both tasks, and {seen}; right is 2, one for "
                "each call of slow_task.",
                hint,
            )


@points(1, hint="Which kind of sleep gives the loop back while it waits?")
async def test_the_loop_stays_free(task: Task) -> None:
    """While both wait, another coroutine on the same loop gets its turn every second."""
    await expect_free_loop(task, 7)


@points(1, hint="When is the time read that a line shows?")
async def test_every_step_shows_its_time(task: Task, clock: Clock) -> None:
    """Each step ends with the time at which it happened."""
    await expect_timestamps(task, clock, STEPS)


@points(2, hint="What runs at `import main`? And what is __name__ in a file that is run?")
async def test_imported_it_does_nothing(task: Task) -> None:
    """Run as a script it goes to work; imported it does nothing."""
    await expect_import_does_nothing(task)
