"""What grading a class costs, against the loops that people write instead; Linux.

    python benchmarks/class.py [--students N] [--stage middle] [--isolation landlock] [--loop N]

The class is generated (tests/support/generated_class.py). `lab class grade` grades all of it: with
the cache, again with nothing changed, again after one check has changed, and some of it without the
cache. A loop of one pytest a tree grades some of it, two at a time as `xargs -P2` does. CPU is that
of all processes, those of submissions too, in seconds for each submission. Nothing is asserted:
machines differ, ratios less so.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.support.generated_class import Student, students  # noqa: E402 - from the course

AT_A_TIME = 2
CHANGED = "checks/task_0_3"


@dataclass(frozen=True)
class Cost:
    """What grading some submissions took, in seconds."""

    submissions: int
    cpu: float
    wall: float

    @property
    def cpu_each(self) -> float:
        return self.cpu / self.submissions

    @property
    def wall_each(self) -> float:
        return self.wall / self.submissions

    def __str__(self) -> str:
        return (
            f"{self.submissions:>5} submissions, wall {self.wall:7.1f} s, CPU {self.cpu:7.1f} s "
            f"({self.cpu_each:.2f} s each)"
        )


def measured(submissions: int, work: Callable[[], None]) -> Cost:
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    work()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(submissions, cpu, time.monotonic() - began)


def run(command: list[str], course: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=course,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode not in (0, 1):
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}")


def grade(submissions: Path, out: Path, course: Path, isolation: str, *options: str) -> None:
    command = ["ml_api_lab.cli", "class", "grade", str(submissions), "--out", str(out)]
    run([*command, "--seed", "1", "--isolation", isolation, *options], course)


def loop(roots: list[Path], isolation: str) -> None:
    def one(root: Path) -> None:
        options = [f"--tree={root}", f"--isolation={isolation}", "--seed=1", "-q"]
        run(["pytest", "checks", "-p", "no:cacheprovider", *options], ROOT)

    with ThreadPoolExecutor(AT_A_TIME) as threads:
        list(threads.map(one, roots))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--students", type=int, default=40)
    parser.add_argument("--stage", choices=["early", "middle", "late"], default="middle")
    parser.add_argument("--isolation", default="landlock")
    parser.add_argument("--loop", type=int, default=6, help="how many trees the loop grades")
    parser.add_argument("--workers", default="2")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="class-") as folder:
        measure(Path(folder), given)


def measure(folder: Path, given: argparse.Namespace) -> None:
    drawn = list(students(given.students, given.stage))
    everybody, few = folder / "everybody", folder / "few"
    roots = [each.write(everybody) for each in drawn]
    sample: list[Student] = drawn[: given.loop]
    for each in sample:
        each.write(few)
    workers = ["--workers", given.workers]
    costs: dict[str, Cost] = {}

    def tell(name: str, submissions: int, work: Callable[[], None]) -> None:
        costs[name] = measured(submissions, work)
        print(f"{name:<32} {costs[name]}", flush=True)

    mode = given.isolation
    tell("one pytest a tree, two at a time", len(sample), lambda: loop(roots[: len(sample)], mode))
    tell(
        "lab class, without the cache",
        len(sample),
        lambda: grade(few, folder / "few-run", ROOT, mode, "--no-cache", *workers),
    )
    tell("one pytest a tree, once more", len(sample), lambda: loop(roots[: len(sample)], mode))
    run_folder = folder / "run"
    tell("lab class", len(drawn), lambda: grade(everybody, run_folder, ROOT, mode, *workers))
    tell(
        "lab class, nothing changed",
        len(drawn),
        lambda: grade(everybody, run_folder, ROOT, mode, *workers),
    )
    course = folder / "course"
    for name in ("checks", "exercises"):
        shutil.copytree(ROOT / name, course / name)
    shutil.copy(ROOT / "pyproject.toml", course)
    check = next((course / CHANGED).glob("test_*.py"))
    check.write_text(f"{check.read_text(encoding='utf-8')}\n# changed\n", encoding="utf-8")
    regrade = ["ml_api_lab.cli", "class", "regrade", str(run_folder)]
    regrade += ["--out", str(folder / "regrade"), "--isolation", mode, *workers]
    tell("lab class regrade, a check changed", len(drawn), lambda: run(regrade, course))
    loops = [costs["one pytest a tree, two at a time"], costs["one pytest a tree, once more"]]
    pytest_cpu = statistics.mean(each.cpu_each for each in loops)
    pytest_wall = statistics.mean(each.wall_each for each in loops)
    print("\nAs a part of one pytest a tree, of the same class:")
    for name in ("lab class, without the cache", "lab class"):
        cost = costs[name]
        cpu, wall = cost.cpu_each / pytest_cpu, cost.wall_each / pytest_wall
        print(f"{name:<32} CPU {cpu:.2f}, wall {wall:.2f}")
    changed = costs["lab class regrade, a check changed"].cpu / costs["lab class"].cpu
    print(f"one check changed: {changed:.2f} of the CPU of the class")


if __name__ == "__main__":
    main()
