"""What grading a class costs, against the loops that people write instead; Linux.

    python benchmarks/class.py [--students N] [--stage middle] [--right N] [--loop N]
                               [--isolation landlock] [--workers N] [--beside CHECKOUT]

The class is generated (tests/support/generated_class.py). `lab class grade` grades all of it with
the cache, again with nothing changed, and again after one check has changed; and some submissions
that are right, without the cache. A loop of one pytest a tree grades some of the same submissions,
spread over the class, two at a time as `xargs -P2` does; with `--beside` that of another checkout
does so as well (benchmarks/compare.py tells how to make one). CPU is that of all processes, those
of submissions too, in seconds for each submission. Nothing is asserted: machines differ, ratios
less so.
"""

from __future__ import annotations

import argparse
import resource
import shutil
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

from tests.proofs.prover import Case, Prover  # noqa: E402 - from the course
from tests.support.generated_class import Student, students  # noqa: E402

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


def run(command: list[str], course: Path, python: Path = Path(sys.executable)) -> None:
    done = subprocess.run(
        [str(python), "-m", *command],
        cwd=course,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode not in (0, 1):
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}")


def grade(submissions: Path, out: Path, *options: str) -> None:
    command = ["ml_api_lab.cli", "class", "grade", str(submissions), "--out", str(out)]
    run([*command, "--seed", "1", *options], ROOT)


def loop(roots: list[Path], checkout: Path, python: Path, *options: str) -> None:
    """Grade each tree with one pytest, as many at a time as `xargs -P2` would."""

    def one(root: Path) -> None:
        given = [f"--tree={root}", "--seed=1", "-q", "-p", "no:cacheprovider", *options]
        run(["pytest", "checks", *given], checkout, python)

    with ThreadPoolExecutor(AT_A_TIME) as threads:
        list(threads.map(one, roots))


def right_students(number: int) -> list[Student]:
    """Return students who have handed in the solution of each task."""
    work = tuple(Case(task, "the solution", ()) for task in Prover.tasks())
    return [Student(f"r{index:05}", work) for index in range(number)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--students", type=int, default=40)
    parser.add_argument("--stage", choices=["early", "middle", "late"], default="middle")
    parser.add_argument("--isolation", default="landlock")
    parser.add_argument("--right", type=int, default=12, help="how many are right")
    parser.add_argument("--loop", type=int, default=6, help="how many trees the loops grade")
    parser.add_argument("--workers", type=int, help="by default as many as is usual")
    parser.add_argument("--beside", type=Path, help="another checkout, its environment in .venv")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="class-") as folder:
        measure(Path(folder), given)


def measure(folder: Path, given: argparse.Namespace) -> None:
    costs: dict[str, Cost] = {}
    mode = ["--isolation", given.isolation]
    workers = [] if given.workers is None else ["--workers", str(given.workers)]

    def tell(name: str, submissions: int, work: Callable[[], None]) -> None:
        costs[name] = measured(submissions, work)
        print(f"{name:<36} {costs[name]}", flush=True)

    def tell_loops(kind: str, roots: list[Path]) -> None:
        python = Path(sys.executable)
        tell(f"one pytest a tree, {kind}", len(roots), lambda: loop(roots, ROOT, python, *mode))
        if given.beside is not None:
            other = given.beside.resolve()
            python_there = other / ".venv" / "bin" / "python"
            name = f"one pytest a tree there, {kind}"
            tell(name, len(roots), lambda: loop(roots, other, python_there))

    right, everybody = folder / "right", folder / "everybody"
    right_roots = [each.write(right) for each in right_students(given.right)]
    roots = [each.write(everybody) for each in students(given.students, given.stage)]
    tell_loops("right", right_roots[: given.loop])
    tell(
        "lab class without cache, right",
        len(right_roots),
        lambda: grade(right, folder / "right-run", "--no-cache", *mode, *workers),
    )
    tell_loops("class", roots[:: max(len(roots) // given.loop, 1)][: given.loop])
    run_folder = folder / "run"
    for name in ("lab class, class", "lab class, nothing changed"):
        tell(name, len(roots), lambda: grade(everybody, run_folder, *mode, *workers))
    course = folder / "course"
    for name in ("checks", "exercises"):
        shutil.copytree(ROOT / name, course / name)
    shutil.copy(ROOT / "pyproject.toml", course)
    check = next((course / CHANGED).glob("test_*.py"))
    check.write_text(f"{check.read_text(encoding='utf-8')}\n# changed\n", encoding="utf-8")
    regrade = ["ml_api_lab.cli", "class", "regrade", str(run_folder)]
    regrade += ["--out", str(folder / "regrade"), *mode, *workers]
    tell("lab class regrade, a check changed", len(roots), lambda: run(regrade, course))

    print("\nAs a part of one pytest a tree, of the same submissions:")
    for kind, name in (("right", "lab class without cache, right"), ("class", "lab class, class")):
        for place in ("", " there"):
            if (loops := costs.get(f"one pytest a tree{place}, {kind}")) is not None:
                cpu = costs[name].cpu_each / loops.cpu_each
                wall = costs[name].wall_each / loops.wall_each
                print(f"{name:<36} CPU {cpu:.2f}, wall {wall:.2f}{place and f' (of those{place})'}")
    changed = costs["lab class regrade, a check changed"].cpu / costs["lab class, class"].cpu
    print(f"one check changed: {changed:.2f} of the CPU of the class")


if __name__ == "__main__":
    main()
