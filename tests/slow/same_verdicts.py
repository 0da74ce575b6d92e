"""A run of pytest, its trials side by side, and a run beside another one all say the same.

    pytest tests/slow/same_verdicts.py -s --runs 50 -k "pytest or beside"

Mistakes, variants, stubs and solutions are graded by a pytest of their own, one tree and task each,
and by trials of the same in this process, many at once. Then whole runs on the solutions go in
pairs, with the default port of a container taken by somebody else in every second pair. Slow:
``tox -e trials``.
"""

from __future__ import annotations

import contextlib
import json
import random
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ml_api_lab.lab_time import NS
from ml_api_lab.trials.task_runner import TaskRunner
from ml_api_lab.trials.trial import play
from tests.proofs.prover import COURSE, Case, Prover, cases
from tests.support.toy import own_environment

SEED = 1
SIDE_BY_SIDE = 3
DEFAULT_PORT = 8080
REAL_SERVERS = ("task_1_3", "task_5_1")
LOOKS_AT_REAL_WORK = "the best of a search in several processes"
"""A variant that looks again and again at processes of its own: each look takes lab time, and how
many there are depends on how long the work takes, which is real."""

Seen = dict[str, tuple[str, int, int]]
"""What each check came to: its outcome, its points, its lab time (0 on the wall clock)."""


def by_pytest(root: Path, task: str, report: Path) -> Seen:
    """Grade one task of a tree with a pytest of its own."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"checks/{task}"]
    options = [f"--tree={root}", f"--seed={SEED}", f"--report=json={report}"]
    subprocess.run(
        [*command, *options],
        cwd=COURSE,
        env=own_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    content = json.loads(report.read_text(encoding="utf-8"))
    return {
        check["id"]: (check["outcome"], check["points"], round(check["lab_seconds"] * NS))
        for graded in content["tasks"]
        if graded["name"] == task
        for check in graded["checks"]
    }


def by_trials(prover: Prover, runner: TaskRunner, root: Path, task: str) -> Seen:
    """Grade the same with trials."""
    seen: Seen = {}
    for check in prover.checks(task):
        verdict = play(prover.trial(root, check), runner)
        points = check.points if verdict.passed else 0
        outcome = "passed" if verdict.passed else "failed"
        seen[check.id] = outcome, points, int(verdict.lab_time)
    return seen


def without_wall_times(seen: Seen, prover: Prover, case: str) -> Seen:
    """Leave out the times that are the wall's: no two are the same."""
    walls = {each.id for each in prover.catalog.values() if each.on_the_wall_clock}
    return {
        name: (outcome, points, 0 if name in walls or case == LOOKS_AT_REAL_WORK else time)
        for name, (outcome, points, time) in seen.items()
    }


def submissions(number: int, folder: Path) -> Iterator[tuple[str, Path, str]]:
    """Write that many trees of one task each, drawn from all that there are, each with its name."""
    trees = [Case(task, tree, ()) for task in Prover.tasks() for tree in ("right", "untouched")]
    drawn = random.Random(SEED).sample([*trees, *cases("mistake"), *cases("variant")], k=number)
    for place, case in enumerate(drawn):
        root = folder / str(place)
        if case.name == "untouched":
            yield case.task, COURSE / "exercises", case.name
        else:
            case.write(root)
            yield case.task, root, case.name


def test_pytest_and_trials_agree(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    number = request.config.getoption("--runs")
    given = list(submissions(number, tmp_path / "trees"))
    prover, runner = Prover(seed=SEED, budget=20), TaskRunner()
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        trials = list(pool.map(lambda each: by_trials(prover, runner, each[1], each[0]), given))
        runs = list(
            pool.map(
                lambda place: by_pytest(
                    given[place][1], given[place][0], tmp_path / f"{place}.json"
                ),
                range(number),
            )
        )
    runner.close()
    different = [
        f"{task}: {name}"
        for (task, _, name), one, other in zip(given, trials, runs, strict=True)
        if without_wall_times(one, prover, name) != without_wall_times(other, prover, name)
    ]
    prover.close()
    assert different == []
    print(f"\n{number} runs of pytest equal the trials of the same")


@contextlib.contextmanager
def taken(port: int) -> Iterator[None]:
    """Have that port in use, if nobody has it already."""
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):
            stack.enter_context(socket.create_server(("0.0.0.0", port)))
        yield


def test_two_runs_beside_each_other_agree(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    number = request.config.getoption("--runs")
    with ThreadPoolExecutor(2 * len(REAL_SERVERS)) as pool:
        for pair in range(number):
            with taken(DEFAULT_PORT) if pair % 2 else contextlib.nullcontext():
                runs = [
                    pool.submit(by_pytest, COURSE / "solutions", task, tmp_path / f"{task}-{side}")
                    for task in REAL_SERVERS
                    for side in range(2)
                ]
                seen = [each for run in runs for each in run.result().items()]
            lost = [name for name, (outcome, *_) in seen if outcome != "passed"]
            assert lost == [], f"pair {pair}"
    print(f"\n{number} pairs of runs, {DEFAULT_PORT} taken in every second one: all points")
