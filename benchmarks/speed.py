"""How fast the lab is, as ratios measured side by side in one run.

    python benchmarks/speed.py [--rounds N]

Every figure is compared with a bare pytest (one empty async test, without the lab's plugin, in the
same environment), or with the least that the same work could cost. Nothing is asserted: machines
differ, ratios less so.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from ml_api_lab.course import syllabus
from ml_api_lab.course.tree import Tree
from ml_api_lab.sandbox.clock import Clock
from ml_api_lab.task import Task
from ml_api_lab.trials.task_runner import TaskRunner

ROOT = Path(__file__).resolve().parent.parent
SOLUTIONS = Tree("solutions", ROOT / "solutions")
SYLLABUS = syllabus.read(ROOT / "checks" / "syllabus.toml")

SCIKIT_LEARN = "an import of scikit-learn"

# The least that one more check of an application could cost: fork, import the app, answer once.
FLOOR = """
import asyncio, importlib, os, statistics, sys, time
from ml_api_lab.host import patches
from ml_api_lab.host import preload
clock = time.perf_counter
warm.import_unfreezable(["fastapi"])
warm.preload(["fastapi"])
from ml_api_lab.host.asgi_server import Server
from ml_api_lab.protocol.messages import Request, Stop

async def answer(app):
    server = Server(app, "", lambda message: None)
    serving = asyncio.ensure_future(server.run())
    server.handle(Request(1, "GET", "/health", [], ""))
    server.handle(Stop())
    await serving

os.chdir(sys.argv[1])
sys.path.insert(0, sys.argv[1])
took = []
for _ in range(int(sys.argv[2])):
    began = clock()
    child = os.fork()
    if child == 0:
        asyncio.run(answer(importlib.import_module("main").app))
        os._exit(0)
    os.waitpid(child, 0)
    took.append(clock() - began)
print(statistics.median(took))
"""


def python(*arguments: str) -> Callable[[], None]:
    """Return a run of Python in a fresh process, output discarded."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}

    def run() -> None:
        command = [sys.executable, *arguments]
        subprocess.run(
            command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, check=True, timeout=600
        )

    return run


def graded(*arguments: str) -> Callable[[], None]:
    """Return a run of pytest on the solutions."""
    return python("-m", "pytest", "-q", "--tree=solutions", *arguments)


def in_turn(contestants: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Run all of them once to warm up, then in turn; return the median time of each in seconds."""
    took: dict[str, list[float]] = {name: [] for name in contestants}
    for round_number in range(rounds + 1):
        for name, run in contestants.items():
            began = time.perf_counter()
            run()
            if round_number:
                took[name].append(time.perf_counter() - began)
    return {name: statistics.median(times) for name, times in took.items()}


def whole_runs(rounds: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        bare = Path(folder) / "test_bare.py"
        bare.write_text("async def test_nothing():\n    pass\n", encoding="utf-8")
        ini = Path(folder) / "pytest.ini"
        ini.write_text(
            "[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n",
            encoding="utf-8",
        )
        contestants = {
            "a bare pytest": python("-m", "pytest", "-q", "-c", str(ini), str(bare)),
            SCIKIT_LEARN: python("-c", "import sklearn.ensemble, sklearn.linear_model"),
            "checks/task_0_3": graded("checks/task_0_3"),
            "Parts 0 and 1, without 1.3": graded(*checks("Part 0", "Part 1")),
            "Parts 2 and 3": graded(*checks("Part 2", "Part 3")),
            "Parts 2 and 3, without real models": graded(
                "-m", "not scikit_learn", *checks("Part 2", "Part 3")
            ),
            "Part 4": graded(*checks("Part 4")),
        }
        medians = in_turn(contestants, rounds)
    base = medians["a bare pytest"]
    for name, median in medians.items():
        print(f"{name:<44}{median:8.3f} s{median / base:8.2f} times a bare pytest")


def checks(*parts: str) -> list[str]:
    """Return the checks of these parts, without those of 1.3, which wait for real servers."""
    tasks = [entry for entry in SYLLABUS.tasks if entry.part.startswith(parts)]
    return [f"checks/{entry.name}" for entry in tasks if entry.name != "task_1_3"]


def scene(runner: TaskRunner, work: Callable[[Task, Clock], Awaitable[None]]) -> None:
    """Do what one check does, without pytest."""
    runner.play(work, SYLLABUS.entry("task_1_2"), SOLUTIONS, random.Random(1))


async def answer_once(task: Task, clock: Clock) -> None:
    async with task.serve() as client:
        await client.get("/health")


def answer_many(number: int) -> Callable[[Task, Clock], Awaitable[None]]:
    async def work(task: Task, clock: Clock) -> None:
        async with task.serve() as client:
            await asyncio.gather(*(client.get("/health") for _ in range(number)))

    return work


def scenes(rounds: int) -> None:
    runner = TaskRunner()
    one = in_turn({"scene": lambda: scene(runner, answer_once)}, rounds)["scene"]
    folder = str(ROOT / "solutions" / "task_1_2")
    command = [sys.executable, "-c", FLOOR, folder, str(rounds)]
    floor = float(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
    print(f"{'one more check that serves an app':<44}{one * 1000:8.1f} ms")
    print(f"{'its floor: fork, import, answer once':<44}{floor * 1000:8.1f} ms")
    many = {str(n): (lambda n=n: scene(runner, answer_many(n))) for n in (125, 250, 500, 1000)}
    for name, median in in_turn(many, 3).items():
        each = median / int(name) * 1000
        print(f"{name + ' concurrent requests in one check':<44}{median:8.3f} s{each:8.2f} ms each")
    runner.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7, help="how often each is run")
    rounds = parser.parse_args().rounds
    whole_runs(rounds)
    scenes(5 * rounds)
