"""How fast `lab` is, measured in turn with what it is compared with.

    python benchmarks/watch.py [--rounds N] [--tasks 0.3 3.2 4.5]

From a save to the verdict of a `lab watch` that is up, against a cold `pytest checks/task_X`; the
first verdict of a `lab watch` against the same; `lab list` and `lab hint` against a bare Python, in
processor time as well, which a busy machine changes less. Nothing is asserted: machines differ,
ratios less so. It works in a copy of the course.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LAB = [sys.executable, "-m", "ml_api_lab.cli"]
START_SECONDS = 0.15
"""What a small command may take beside three bare Pythons."""


class Watch:
    """A `lab watch` without a terminal, which prints a line for each verdict."""

    def __init__(self, course: Path, number: str) -> None:
        self._number = number
        self._process = subprocess.Popen(
            [*LAB, "watch", number],
            cwd=course,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )

    def wait_for_verdict(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith(f"{self._number} at "):
                return
        raise SystemExit("lab watch ended without a verdict")

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def quietly(*command: str, cwd: Path) -> Callable[[], object]:
    """Return a run of that command, output discarded."""
    return lambda: subprocess.run(command, cwd=cwd, stdout=subprocess.DEVNULL, check=False)


def processor_seconds() -> float:
    """Return how long all ended children have had a processor."""
    times = os.times()
    return times.children_user + times.children_system


def median(times: list[float]) -> float:
    return statistics.median(times)


def measure_task(course: Path, number: str, rounds: int) -> None:
    task = f"task_{number.replace('.', '_')}"
    main = course / "exercises" / task / "main.py"
    cold = quietly(sys.executable, "-m", "pytest", "-q", f"checks/{task}", cwd=course)

    def first_verdict() -> None:
        watch = Watch(course, number)
        watch.wait_for_verdict()
        watch.end()

    cold()
    resident = Watch(course, number)
    resident.wait_for_verdict()
    text = main.read_text(encoding="utf-8")

    def save_and_wait() -> None:
        main.write_text(f"{text}# saved at {time.time()}\n", encoding="utf-8")
        resident.wait_for_verdict()

    contestants = {"warm": save_and_wait, "cold": cold}
    took: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, work in contestants.items():
            took[name].append(timed(work))
    resident.end()
    first = [(timed(first_verdict), timed(cold)) for _ in range(max(rounds // 4, 3))]
    warm_median, cold_median = median(took["warm"]), median(took["cold"])
    print(
        f"{number}  save to verdict {warm_median:.3f} s, cold pytest {cold_median:.3f} s: "
        f"{warm_median / cold_median:.3f} of it"
    )
    ratio = median([watch / pytest for watch, pytest in first])
    print(f"{number}  first verdict of lab watch: {ratio:.2f} of a cold pytest")


def measure_small_commands(course: Path, rounds: int) -> None:
    contestants = {
        "bare python": quietly(sys.executable, "-c", "pass", cwd=course),
        "lab": quietly(*LAB, cwd=course),
        "lab list": quietly(*LAB, "list", cwd=course),
        "lab hint": quietly(*LAB, "hint", "3.2", cwd=course),
    }
    took: dict[str, list[float]] = {name: [] for name in contestants}
    worked: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, work in contestants.items():
            before = processor_seconds()
            took[name].append(timed(work))
            worked[name].append(processor_seconds() - before)
    print(f"{'':<12}{'time':>10}{'allowed':>10}{'processor':>12}{'allowed':>10}")
    for name in contestants:
        row = f"{name:<12}"
        for times, width in ((took, 10), (worked, 12)):
            allowed = 3 * median(times["bare python"]) + START_SECONDS
            row += f"{median(times[name]):{width}.3f}{allowed:>10.3f}"
        print(row)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--tasks", nargs="*", default=["0.3", "3.2", "4.5"])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        course = Path(folder) / "course"
        shutil.copytree(ROOT / "checks", course / "checks")
        shutil.copytree(ROOT / "solutions", course / "exercises")
        shutil.copy(ROOT / "pyproject.toml", course)
        measure_small_commands(course, options.rounds)
        for number in options.tasks:
            measure_task(course, number, options.rounds)


if __name__ == "__main__":
    main()
