"""A busy machine changes nothing: every verdict and every lab time is the same, run after run.

    pytest tests/busy_machine.py -s --runs 50 --processes 4 -k "task_0 or task_1"

A task's solution, stub and mistakes are graded once in peace, then again and again while more
processes compute than the machine has cores. The checks that talk to real servers take part with
the solution and the stub. Slow: ``tox -e busy``.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.proofs import COURSE, Prover, Verdict, cases

Verdicts = dict[tuple[str, str], Verdict]


@pytest.fixture
def busy(request: pytest.FixtureRequest) -> Iterator[None]:
    number = request.config.getoption("--processes")
    command = [sys.executable, "-c", "while True: pass"]
    processes = [subprocess.Popen(command) for _ in range(number)]
    yield
    for process in processes:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def prover() -> Iterator[Prover]:
    prover = Prover()
    yield prover
    prover.close()


@pytest.mark.parametrize("task", Prover.tasks())
def test_nothing_changes(
    task: str, request: pytest.FixtureRequest, prover: Prover, tmp_path: Path
) -> None:
    submissions = {tree: (COURSE / tree, None) for tree in ("solutions", "exercises")}
    for number, case in enumerate(cases("mistake")):
        if case.task == task and not prover.on_the_wall_clock(case):
            case.write(tmp_path / str(number))
            submissions[case.name] = (tmp_path / str(number), case.check)
    in_peace = grade(prover, task, submissions)
    request.getfixturevalue("busy")
    checks = 0
    for _ in range(request.config.getoption("--runs")):
        verdicts = grade(prover, task, submissions)
        checks += len(verdicts)
        changed = [key for key, each in verdicts.items() if differs(in_peace[key], each)]
        assert {key: (in_peace[key], verdicts[key]) for key in changed} == {}
    print(f"\n{task}: {checks} graded checks, every verdict and every lab time the same")


def differs(one: Verdict, other: Verdict) -> bool:
    if (one.message is None) != (other.message is None):
        return True
    # On the wall clock (checks of real servers) no two runs last equally long.
    return not one.on_the_wall_clock and one.lab_time != other.lab_time


def grade(prover: Prover, task: str, submissions: dict[str, tuple[Path, str | None]]) -> Verdicts:
    return {
        (submission, name): verdict
        for submission, (root, only) in submissions.items()
        for name, verdict in prover.grade(root, task, only).items()
    }
