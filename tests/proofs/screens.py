"""How many rows `pytest checks/task_x_y` prints: on each stub, and on the first wrong run.

    python -m tests.proofs.screens task_3_2 --every 5

runs pytest, at 80 columns, on the stub of each task and on every fifth mistake of its corpus, and
prints how many rows of the terminal that takes. A screen has 24.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.proofs.prover import COURSE, LEFT_OUT, Case, Prover, cases

COLUMNS = 80
SCREEN = 24
SHARED = ("shared", "pyproject.toml")


class OwnCourse:
    """A student's copy of the course; the package is ours."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in SHARED:
            (folder / name).symlink_to(COURSE / name)
        for name in ("checks", "exercises"):
            shutil.copytree(COURSE / name, folder / name, ignore=LEFT_OUT)

    def submit(self, case: Case) -> None:
        """Put a case in place of the task's stub."""
        shutil.rmtree(self.folder / "exercises" / case.task)
        case.write(self.folder / "exercises")

    def hand_out(self, task: str) -> None:
        """Put the stub back."""
        shutil.rmtree(self.folder / "exercises" / task)
        shutil.copytree(
            COURSE / "exercises" / task, self.folder / "exercises" / task, ignore=LEFT_OUT
        )

    def output(self, task: str) -> str:
        """Return what a student sees who grades that task."""
        command = [sys.executable, "-m", "pytest", f"checks/{task}"]
        environment = os.environ | {"COLUMNS": str(COLUMNS), "LINES": str(SCREEN)}
        run = subprocess.run(
            command,
            cwd=self.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        return run.stdout


def rows(output: str) -> int:
    """Return how many rows of a terminal a text takes."""
    return sum(max(1, -(-len(line) // COLUMNS)) for line in output.splitlines())


def main() -> int:
    """Print the rows of each task.

    Returns:
        1 if a stub takes more than a screen, the median first wrong run more than one, or more than
        a tenth of them more than two.
    """
    parser = argparse.ArgumentParser(description="Count the rows that a first wrong run prints.")
    parser.add_argument("task", nargs="*", default=Prover.tasks())
    parser.add_argument("--every", type=int, default=1, help="take every so many-th mistake")
    options = parser.parse_args()
    stubs: dict[str, int] = {}
    wrong: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as folder:
        course = OwnCourse(Path(folder))
        for task in options.task:
            stubs[task] = rows(course.output(task))
            mistakes = [case for case in cases("mistake") if case.task == task]
            for case in mistakes[:: options.every]:
                course.submit(case)
                wrong[case.id] = rows(course.output(task))
            course.hand_out(task)
            of_task = [count for name, count in wrong.items() if name.startswith(f"{task}:")]
            print(
                f"{task}: stub {stubs[task]} rows, first wrong runs {sorted(of_task)}", flush=True
            )
    median = statistics.median(wrong.values())
    most = sorted(wrong.values())[-(len(wrong) // 10) - 1]
    print(f"{len(wrong)} first wrong runs: median {median:g} rows, nine of ten at most {most}")
    for name, count in sorted(wrong.items(), key=lambda each: -each[1])[:10]:
        print(f"  {count}  {name}")
    return int(max(stubs.values()) > SCREEN or median > SCREEN or most > 2 * SCREEN)


if __name__ == "__main__":
    raise SystemExit(main())
