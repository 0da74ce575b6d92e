"""The schedule of a whole run: what is played side by side, asked again, or left to pytest."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.toy import Course

ALONE = '''
import threading

def alone():
    return threading.current_thread() is threading.main_thread()

@points(1, hint="?")
async def test_is_begun_ahead(task: Task):
    """It runs ahead, and passes."""
    assert not alone(), "It ran in its turn."

@on_the_wall_clock
@points(1, hint="?")
async def test_talks_to_a_process(task: Task):
    """What fails on the wall clock is asked again, alone."""
    task.start(["python", "main.py"])
    assert alone(), "It ran ahead."

@points(1, hint="?")
async def test_is_begun_ahead_again(task: Task):
    """So does one behind it."""
    assert not alone(), "It ran in its turn."

@pytest.mark.parametrize("number", [1, 2])
@points(1, hint="?")
async def test_has_cases(task: Task, number: int):
    """What asks pytest for more runs in its turn."""
    assert alone(), "It ran ahead."

@points(1, hint="?")
async def test_fails(task: Task, clock: Clock):
    """A failure in lab time stands."""
    assert alone(), "It failed beside others."

@points(1, hint="?")
async def test_comes_behind_a_failure(task: Task):
    """It ends nothing."""
    assert not alone(), "It ran in its turn."

@points(1, hint="?")
async def test_takes_a_fixture(task: Task, tmp_path):
    """What asks pytest for more runs in its turn."""
    assert alone(), "It ran ahead."

@points(3, hint="?")
async def test_ends_its_process_once(task: Task):
    """What ended its process beside others is asked again, alone."""
    if not alone():
        task.files.write("main.py", "import os; os._exit(3)")
    await task.run()
'''


def test_what_stands_and_what_is_asked_again(tmp_path: Path) -> None:
    course = Course(tmp_path / "course")
    course.task("task_0_1", ALONE, "print('hello')")
    result = course.run("-v")
    assert result.messages == {"task_0_1 test_fails": "It failed beside others."}
    assert (result.status, result.score) == (1, (9, 10))
    assert result.text.count("test_is_begun_ahead PASSED") == 1


MEETING = '''
@points(5, hint="?")
async def test_one(task: Task):
    """They meet."""
    run = await task.run()
    assert run.output == "met", f"It printed {run.output!r}."

@points(5, hint="?")
async def test_two(task: Task):
    """They meet."""
    run = await task.run()
    assert run.output == "met", f"It printed {run.output!r}."
'''
MEETS = """
import os
from pathlib import Path

def lives(pid):
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True

place = Path({place!r})
(place / str(os.getpid())).touch()
both = place.parent / "both"
while not both.exists():
    if sum(lives(int(each.name)) for each in place.iterdir()) == 2:
        both.touch()
print("met")
"""


@pytest.mark.skipif(os.name != "posix", reason="looks for other processes by signal 0")
def test_two_submissions_are_at_work_at_once(tmp_path: Path) -> None:
    """Each waits in real time until the other lives as well: in turn, both would wait for ever."""
    (tmp_path / "place").mkdir()
    course = Course(tmp_path / "course")
    course.task("task_0_1", MEETING, MEETS.format(place=str(tmp_path / "place")))
    result = course.run("--budget=60", "--isolation=none")
    assert result.messages == {}
    assert result.score == (10, 10)
