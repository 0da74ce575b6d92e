"""A busy machine changes nothing: every verdict and every lab time is the same, run after run.

    pytest tests/slow/busy_machine.py -s --runs 50 --processes 4 -k "task_0 or task_1"

A task's solution, stub and mistakes are graded once in peace, then again and again while more
processes compute than the machine has cores. The checks that talk to real servers take part with
the solution and the stub. Then whole runs of pytest, whose checks are at work side by side, are
compared in the same way. Slow: ``tox -e busy``.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.proofs.prover import COURSE, Prover, Verdict, cases

Verdicts = dict[tuple[str, str], Verdict]

REAL_SERVERS = ("task_1_3", "task_5_1")


@pytest.fixture
def busy(request: pytest.FixtureRequest) -> Iterator[None]:
    number = request.config.getoption("--processes")
    command = [sys.executable, "-c", "while True: pass"]
    processes = [subprocess.Popen(command) for _ in range(number)]
    yield
    for process in processes:
        process.kill()
        process.wait()


@pytest.mark.parametrize("task", Prover.tasks())
def test_nothing_changes(
    task: str, request: pytest.FixtureRequest, prover: Prover, tmp_path: Path
) -> None:
    submissions: dict[str, tuple[Path, str | None]] = {
        tree: (COURSE / tree, None) for tree in ("solutions", "exercises")
    }
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


@pytest.mark.parametrize("tree", ["solutions", "exercises"])
def test_nothing_changes_in_whole_runs(
    tree: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    in_peace = run(tree, tmp_path / "peace.json")
    request.getfixturevalue("busy")
    runs = [run(tree, tmp_path / f"{n}.json") for n in range(request.config.getoption("--runs"))]
    for verdicts in runs:
        changed = [key for key, each in verdicts.items() if differs(in_peace[key], each)]
        assert {key: (in_peace[key], verdicts[key]) for key in changed} == {}
    checks = sum(map(len, runs))
    print(f"\n{tree}: {checks} graded checks in {len(runs)} whole runs, all of them the same")


def run(tree: str, report: Path) -> Verdicts:
    """Grade the whole tree as a user would; return the verdicts of its report."""
    command = [sys.executable, "-m", "pytest", "checks", "-q", "--seed=1", "-p", "no:cacheprovider"]
    options = [f"--tree={tree}", f"--report=json={report}"]
    subprocess.run([*command, *options], cwd=COURSE, capture_output=True, check=False)
    grade = json.loads(report.read_text(encoding="utf-8"))
    return {
        (task["name"], check["id"]): Verdict(
            None if check["outcome"] == "passed" else check["message"],
            round(check["lab_seconds"] * 1e9),
            on_the_wall_clock=task["name"] in REAL_SERVERS,
        )
        for task in grade["tasks"]
        for check in task["checks"]
    }


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
