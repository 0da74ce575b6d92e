"""`breakpoint()` in a submission: with a terminal, and without one."""

from __future__ import annotations

import os
import select
import subprocess
import time
from pathlib import Path

import pytest

from tests.support.toy import LIMIT, Course, own_environment
from tests.support.toy_tasks import CHECKS

BUDGET_SECONDS = 5


STOPS_IN_DEBUGGER = """
import time
value = "in the submission"
breakpoint()
print("hello")
time.sleep(2)
"""


def run_in_terminal(course: Course, *args: str, answers: list[tuple[str, str]]) -> str:
    """Run pytest in a terminal of its own; at each prompt that comes, type the answer to it."""
    import pty

    # Longer than the budget: a human takes time, and loses nothing by it.
    thinking = BUDGET_SECONDS + 0.5
    near, far = pty.openpty()
    process = subprocess.Popen(
        course.command(*args),
        cwd=course.root,
        env=own_environment(),
        stdin=far,
        stdout=far,
        stderr=far,
        start_new_session=True,
    )
    os.close(far)
    seen, left, give_up = "", list(answers), time.monotonic() + LIMIT
    told = 0
    try:
        while time.monotonic() < give_up:
            if select.select([near], [], [], 0.2)[0]:
                try:
                    data = os.read(near, 65536)
                except OSError:  # what Linux says at the end
                    break
                if not data:
                    break
                seen += data.decode(errors="replace")
            if left and left[0][0] in seen[told:]:
                told = len(seen)
                time.sleep(thinking)
                thinking = 0
                os.write(near, f"{left.pop(0)[1]}\n".encode())
        process.wait(LIMIT)
    finally:
        process.kill()
        process.wait()
        os.close(near)
    assert not left, seen
    return f"{seen}\nstatus {process.returncode}"


@pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")
def test_breakpoint_in_the_terminal(tmp_path: Path) -> None:
    """The debugger stands in the submission, and the verdict stays the same."""
    course = Course(tmp_path / "course")
    course.task("task_0_1", CHECKS, STOPS_IN_DEBUGGER)
    answers = [("(Pdb)", "value"), ("(Pdb)", "c")] * 2
    seen = run_in_terminal(course, "-s", f"--budget={BUDGET_SECONDS}", "--seed=1", answers=answers)
    assert "main.py(5)" in seen or "main.py(4)" in seen
    assert seen.count("'in the submission'") == 2
    assert "10 of  10" in seen
    assert seen.endswith("status 0")


def test_breakpoint_without_a_terminal(tmp_path: Path) -> None:
    course = Course(tmp_path / "course")
    course.task("task_0_1", CHECKS, STOPS_IN_DEBUGGER)
    result = course.run()
    assert set(result.messages.values()) == {
        "main.py stopped with RuntimeError: breakpoint() needs the terminal: run pytest with -s "
        "(exercises/task_0_1/main.py:4)."
    }
