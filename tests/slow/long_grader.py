"""A grader that lives long: trials by the thousand in one process, and nothing grows.

    pytest tests/slow/long_grader.py -s --runs 10000

Right, wrong and dying submissions take turns. Memory and descriptors of this process and of the
processes that it keeps are looked at once each trial was played, and at the end. Slow: ``tox -e
trials``.
"""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ml_api_lab.trials.task_runner import TaskRunner
from ml_api_lab.trials.trial import Trial, play
from tests.proofs.prover import COURSE, Prover

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

TASKS = ("task_0_1", "task_0_3", "task_1_2", "task_3_1")
SIDE_BY_SIDE = 3
AT_A_TIME = 60
GROWTH = 1.05
DIES = "import os\nprint('gone')\nos._exit(3)\n"


def processes() -> list[int]:
    """Return this process and the fork servers that it keeps, whichever thread has started them."""
    lists = Path("/proc/self/task").glob("*/children")
    return [os.getpid(), *(int(pid) for each in lists for pid in each.read_text().split())]


def memory() -> int:
    """Return the memory that those processes have, in kB.

    What they share with a host that is about to be used counts as well: how many of those there are
    just now is chance.
    """
    total = 0
    for pid in processes():
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Rss:"):
                total += int(line.split()[1])
    return total


def descriptors() -> int:
    return sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in processes())


def folders_made() -> list[str]:
    """Return a list that gets each temporary folder that this process makes from now on.

    Those of other programs that grade on this machine meanwhile are not in it.
    """
    made: list[str] = []

    def hear(event: str, arguments: tuple[object, ...]) -> None:
        if event == "tempfile.mkdtemp":
            made.append(str(arguments[0]))

    sys.addaudithook(hear)
    return made


def trials(prover: Prover, dying: Path) -> list[Trial]:
    """Return trials of right, wrong and dying submissions, in turn."""
    roots = [COURSE / "solutions", COURSE / "exercises", dying]
    return [
        prover.trial(root, check)
        for task in TASKS
        for check in prover.checks(task)
        for root in roots
        if not check.on_the_wall_clock and not check.needs_scikit_learn
    ]


def test_nothing_grows(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    number = max(request.config.getoption("--runs"), 100)
    for task in TASKS:
        (tmp_path / task).mkdir()
        (tmp_path / task / "main.py").write_text(DIES, encoding="utf-8")
    prover, runner = Prover(), TaskRunner()
    made = folders_made()
    different = trials(prover, tmp_path)
    first: dict[int, tuple[bool, int]] = {}

    def one(place: int) -> None:
        index = place % len(different)
        verdict = play(different[index], runner)
        seen = verdict.passed, int(verdict.lab_time)
        assert first.setdefault(index, seen) == seen, different[index].check.id

    def play_all(pool: ThreadPoolExecutor, places: range) -> None:
        # Some at a time: a pool keeps two kilobytes for each call that waits, and those are no
        # grader's.
        for start in places[::AT_A_TIME]:
            list(pool.map(one, range(start, min(start + AT_A_TIME, places.stop))))

    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        first_part = max(number // 10, 2 * len(different))
        play_all(pool, range(first_part))
        early = memory(), descriptors()
        play_all(pool, range(first_part, first_part + number))
        late = memory(), descriptors()
    runner.close()
    prover.close()
    print(
        f"\n{number} trials: memory {early[0]} -> {late[0]} kB, descriptors {early[1]} -> {late[1]}"
    )
    assert late[0] <= early[0] * GROWTH
    # One host of each kind is always on its way.
    assert late[1] <= early[1] + 2
    assert made
    assert [each for each in made if os.path.exists(each)] == []
    assert len(processes()) == 1
