"""Tasks for toy courses: checks, and submissions that pass or fail them."""

from __future__ import annotations

from pathlib import Path

from tests.support.toy import Course

CHECKS = '''
@points(4, hint="What does print do?")
async def test_greets(task: Task, clock: Clock):
    """It greets."""
    run = await task.run()
    assert run.output == "hello", f"It printed {run.output!r}; 'hello' is right."

@points(6, hint="What does sleep do?")
async def test_waits(task: Task, clock: Clock):
    """It waits."""
    run = await task.run()
    assert run.elapsed == seconds(2), f"It took {run.elapsed}; 2 s is right."
'''
RIGHT = 'import time\nprint("hello")\ntime.sleep(2)\n'
WRONG = 'print("bye")\n'

ONE_CHECK = '''
@points(10, hint="?")
async def test_one(task: Task):
    """Title."""
'''
"""Passes whatever it is given."""


def two_tasks(folder: Path) -> Course:
    """Build a course of two tasks, whose solutions are right and whose exercises are not."""
    course = Course(folder)
    course.task("task_0_1", CHECKS, WRONG, RIGHT)
    course.task("task_0_2", CHECKS, WRONG, RIGHT)
    return course
