"""A busy machine changes nothing: every verdict and every lab time is the same, run after run.

    pytest tests/busy_machine.py --runs 50 --processes 4

Solutions, stubs and all mistakes are graded once in peace, then again and again while more
processes compute than the machine has cores. Slow: ``tox -e busy``.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.proofs import COURSE, Case, Prover, Verdict, cases

Verdicts = dict[tuple[str, str, str], Verdict]


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
def submissions(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Case, Path]]:
    found = [
        (Case(task, tree, ()), COURSE / tree)
        for task in Prover.tasks()
        for tree in ("solutions", "exercises")
    ]
    for case in cases("mistake"):
        root = tmp_path_factory.mktemp("tree")
        case.write(root)
        found.append((case, root))
    return found


@pytest.fixture(scope="module")
def prover() -> Iterator[Prover]:
    prover = Prover()
    yield prover
    prover.close()


@pytest.fixture(scope="module")
def in_peace(prover: Prover, submissions: list[tuple[Case, Path]]) -> Verdicts:
    return grade(prover, submissions)


def test_nothing_changes(
    request: pytest.FixtureRequest,
    prover: Prover,
    submissions: list[tuple[Case, Path]],
    in_peace: Verdicts,
    busy: None,
) -> None:
    checks = 0
    for _ in range(request.config.getoption("--runs")):
        verdicts = grade(prover, submissions)
        checks += len(verdicts)
        changed = [key for key, each in verdicts.items() if differs(in_peace[key], each)]
        assert {key: (in_peace[key], verdicts[key]) for key in changed} == {}
    print(f"\n{checks} graded checks on a busy machine, every verdict and lab time the same")


def differs(one: Verdict, other: Verdict) -> bool:
    if (one.message is None) != (other.message is None):
        return True
    # On the wall clock (checks of real servers) no two runs last equally long.
    return one.on_the_wall_clock is False and one.lab_time != other.lab_time


def grade(prover: Prover, submissions: list[tuple[Case, Path]]) -> Verdicts:
    return {
        (case.task, case.name, name): verdict
        for case, root in submissions
        for name, verdict in prover.grade(root, case.task, case.check).items()
    }
