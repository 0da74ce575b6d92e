"""Checks of task 0.2."""

from dataclasses import replace

from checks.support.event_loop import expect_free_loop
from checks.support.timeline import (
    do_overlap,
    expect_import_does_nothing,
    expect_order,
    expect_same_steps,
    expect_step_at,
    expect_timestamps,
    hide_marks,
    lasted,
)
from ml_api_lab.check import Clock, Hinted, Run, Task, points, seconds

STEPS = [
    "Starting task Task 1",
    "Finished task Task 1",
    "Starting task Task 2",
    "Finished task Task 2",
]
END = "All tasks finished"
CALLER = """\
import asyncio

import main

print({marker!r})


async def attempt():
    await {call}


asyncio.run(attempt())
"""


@points(2, hint="Compare what it prints with the lines in the docstring, one by one.")
async def test_it_prints_every_step_in_order(task: Task) -> None:
    """It prints the start and the end of both tasks, and says when all is done."""
    run = await task.run()
    if do_overlap(run, *STEPS[1:3]):
        # That the second task waits for the first is another check's question.
        expect_order(run, [STEPS[0], STEPS[2]])
        expect_order(run, [*STEPS[:2], END])
        expect_order(run, [*STEPS[2:], END])
    else:
        expect_order(run, [*STEPS, END])


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
    await expect_free_loop(task, 10, must_be_awaited=True)


@points(1, hint="What turns a function into one that can be awaited?")
async def test_both_can_be_awaited(task: Task) -> None:
    """slow_task and main are coroutine functions; slow_task takes any name and delay."""
    name = f"Cake {task.draw.randint(10, 99)}"
    delay = task.draw.choice((2, 4, 5, 6))
    script = await task.run()
    await task.load()  # whatever keeps it from being imported is told as such
    run = await _run_call(task, f'main.slow_task("{name}", {delay})')
    first, last = f"Starting task {name}", f"Finished task {name}"
    # How long the two tasks of the script take is another check's question, and what it prints.
    if lasted(script, STEPS[0], STEPS[1]) == seconds(3):
        hint = "How long does your sleep last: as long as the delay that slow_task was given?"
        expect_step_at(run, last, seconds(delay), first=first, hint=hint)
    else:
        expect_order(run, [first, last])
    task.transcript.lines.clear()  # all was right up to here
    call = "main.main()"
    expect_same_steps(await _run_call(task, call), script, [*STEPS, END], f"await {call}")


async def _run_call(task: Task, call: str) -> Run:
    """Import main.py and await that call; return what it did from there on."""
    told = f"-- the check calls {call} --"
    marker = f"{told} {task.draw.getrandbits(32):08x}"
    task.files.write("try_main.py", CALLER.format(call=call, marker=marker))
    run = await task.run("try_main.py", may_fail=True)
    hide_marks(task, marker, told)
    if run.error is not None:
        name = call.removeprefix("main.").partition("(")[0]
        sentence = f"await {call} raised {run.error}; right is that {name} is an async def"
        if "asyncio.run" in run.error:
            raise Hinted(
                f"{sentence} that does not call asyncio.run itself.",
                f"How does one coroutine wait for another? asyncio.run is for the line that starts "
                f"{name} as a script.",
            )
        raise AssertionError(f"{sentence}, which can be awaited.")
    # What the import prints is another check's question.
    begins = [number for number, line in enumerate(run.lines, start=1) if line.text == marker]
    return replace(run, lines=run.lines[begins[0] :] if begins else [])


@points(1, hint="When is the time read that a line shows?")
async def test_every_step_shows_its_time(task: Task, clock: Clock) -> None:
    """Each step ends with the time at which it happened."""
    await expect_timestamps(task, clock, STEPS)


@points(2, hint="What runs at `import main`? And what is __name__ in a file that is run?")
async def test_imported_it_does_nothing(task: Task) -> None:
    """Run as a script it goes to work; imported it does nothing."""
    await expect_import_does_nothing(task)
