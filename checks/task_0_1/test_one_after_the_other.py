"""Checks of task 0.1."""

from dataclasses import replace

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
TOTAL = seconds(10)

# Whether main is a plain function is not the matter of this task.
CALLER = """\
import asyncio, inspect
from main import main, slow_task

print({marker!r})
outcome = {call}
if inspect.iscoroutine(outcome):
    if outcome.__name__ == "main":
        asyncio.run(outcome)
    else:
        outcome.close()
        print({marker!r} + " coroutine")
"""
PARAMETERS_TELLER = """\
import inspect
from main import slow_task

print({marker!r} + str(inspect.signature(slow_task)))
"""


@points(2, hint="Compare what it prints with the lines in the docstring, one by one.")
async def test_it_prints_every_step_in_order(task: Task) -> None:
    """It prints the start and the end of both tasks, and says when all is done."""
    run = await task.run()
    if do_overlap(run, *STEPS[1:3]) and run.elapsed < TOTAL:
        # That the second task waits for the first is another check's question.
        expect_order(run, [STEPS[0], STEPS[2]])
        expect_order(run, [*STEPS[:2], END])
        expect_order(run, [*STEPS[2:], END])
    else:
        expect_order(run, [*STEPS, END])


@points(3, hint="How long does each task wait, and who starts when?")
async def test_it_takes_the_sum_of_both(task: Task) -> None:
    """Task 1 takes 3 s, then Task 2 takes 7 s."""
    run = await task.run()
    # Which of them comes first is another check's question, as is what an import does.
    expect_step_at(run, STEPS[1], seconds(3), first=STEPS[0])
    expect_step_at(run, STEPS[3], seconds(7), first=STEPS[2])
    loaded = await task.load()
    imported = loaded.elapsed if loaded.elapsed >= seconds(1) else seconds(0)
    elapsed = run.elapsed - imported if imported <= run.elapsed else run.elapsed
    assert TOTAL in (run.elapsed, elapsed), (
        f"The script took {run.elapsed}; right is 3 s and 7 s, 10 s."
    )


@points(2, hint="What are the parameters of slow_task for, and what does time.sleep do with one?")
async def test_slow_task_does_as_it_is_told(task: Task) -> None:
    """slow_task works with any name and delay, and waits with time.sleep; main does all of it."""
    name = f"Cake {task.draw.randint(10, 99)}"
    delay = task.draw.choice((2, 4, 5, 6))
    call = f'slow_task("{name}", {delay})'
    run = await _run_call(task, call)
    first = f"Starting task {name}"
    last = f"Finished task {name}"
    script = await task.run()
    # How long the two tasks of the script take is another check's question.
    if lasted(script, STEPS[0], STEPS[1]) == seconds(3):
        expect_step_at(run, last, seconds(delay), first=first)
    else:
        expect_order(run, [first, last])
    busy = [beat for beat in run.beats if beat < run.elapsed]
    if busy:
        raise Hinted(
            f"{call} ran an event loop while it waited; right is a plain time.sleep in this task.",
            "What does asyncio.run start, and which sleep needs nothing of it?",
        )
    task.transcript.lines.clear()  # all was right up to here
    expect_same_steps(await _run_call(task, "main()"), script, [*STEPS, END], "main()")


async def _run_call(task: Task, call: str) -> Run:
    """Import main.py and make that call."""
    told = f"-- the check calls {call} --"
    marker = f"{told} {task.draw.getrandbits(32):08x}"
    task.files.write("try_it.py", CALLER.format(call=call, marker=marker))
    run = await task.run("try_it.py", beat=seconds(1), may_fail=True)
    hide_marks(task, marker, told)
    if run.error is not None:
        await _expect_two_parameters(task, call, run.error)
        raise AssertionError(f"{call} raised {run.error}; right is that it waits and returns.")
    if any(line.text == f"{marker} coroutine" for line in run.lines):
        raise Hinted(
            f"{call} did nothing but make a coroutine; right is a plain def with time.sleep in "
            "this task.",
            "What does async in front of def change about a call?",
        )
    # What the import prints is another check's question.
    begins = [number for number, line in enumerate(run.lines, start=1) if line.text == marker]
    return replace(run, lines=run.lines[begins[0] :] if begins else [])


async def _expect_two_parameters(task: Task, call: str, error: str) -> None:
    """Assert of a call that raised that it was not for want of the parameters of slow_task."""
    if not error.startswith("TypeError: slow_task() "):
        return
    marker = f"{task.draw.getrandbits(32):08x}"
    task.files.write("try_it.py", PARAMETERS_TELLER.format(marker=marker))
    run = await task.run("try_it.py", may_fail=True)
    hide_marks(task, marker)
    told = [line.text.removeprefix(marker) for line in run.lines if line.text.startswith(marker)]
    if told:
        raise Hinted(
            f"{call} raised {error}; yours is slow_task{told[0]}, right is slow_task(name, delay).",
            "Who says how long slow_task waits: the one who calls it, or slow_task itself?",
        )


@points(1, hint="When is the time read that a line shows?")
async def test_every_step_shows_its_time(task: Task, clock: Clock) -> None:
    """Each step ends with the time at which it happened."""
    await expect_timestamps(task, clock, STEPS)


@points(2, hint="What runs at `import main`? And what is __name__ in a file that is run?")
async def test_imported_it_does_nothing(task: Task) -> None:
    """Run as a script it goes to work; imported it does nothing."""
    await expect_import_does_nothing(task)
