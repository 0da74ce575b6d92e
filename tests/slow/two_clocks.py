"""Both clocks give the same verdicts: every solution, stub, mistake and variant on each.

But for the mistakes that only exact time shows, and that say so: the wall clock must forgive them.
Slow, since the wall clock is: ``tox -e clocks``. Much of it is waiting, so many run side by side.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.proofs.prover import COURSE, Case, Prover, cases

SIDE_BY_SIDE = 12

Passed = dict[str, bool]


class Pool:
    """Grades on the wall clock, several submissions at a time."""

    def __init__(self) -> None:
        self._mine = threading.local()
        self._provers: list[Prover] = []
        self._executor = ThreadPoolExecutor(SIDE_BY_SIDE)

    def submit(self, root: Path, task: str, only: str | None) -> Future[Passed]:
        return self._executor.submit(self._grade, root, task, only)

    def _grade(self, root: Path, task: str, only: str | None) -> Passed:
        if not hasattr(self._mine, "prover"):
            self._mine.prover = Prover("real")
            self._provers.append(self._mine.prover)
        return passed(self._mine.prover, root, task, only)

    def close(self) -> None:
        self._executor.shutdown(cancel_futures=True)
        for prover in self._provers:
            prover.close()


def passed(prover: Prover, root: Path, task: str, only: str | None) -> Passed:
    return {name: each.message is None for name, each in prover.grade(root, task, only).items()}


TREES = [Case(task, tree, ()) for task in Prover.tasks() for tree in ("solutions", "exercises")]
CASES = [*TREES, *cases("mistake"), *cases("variant")]


@pytest.fixture(scope="module")
def on_the_wall(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[int, Future[Passed]]]:
    pool = Pool()
    verdicts: dict[int, Future[Passed]] = {}
    for item in request.session.items:
        # Those that were asked for (-k), and no others.
        if isinstance(item, pytest.Function) and item.originalname == "test_clocks_agree":
            number = item.callspec.params["number"]
            assert isinstance(number, int)
            case = CASES[number]
            root = write(case, tmp_path_factory.mktemp("tree"))
            verdicts[number] = pool.submit(root, case.task, case.check)
    yield verdicts
    pool.close()


@pytest.fixture(scope="module")
def prover() -> Iterator[Prover]:
    prover = Prover("lab")
    yield prover
    prover.close()


def write(case: Case, folder: Path) -> Path:
    if case in TREES:
        return COURSE / case.name
    case.write(folder)
    return folder


@pytest.mark.parametrize("number", range(len(CASES)), ids=[case.id for case in CASES])
def test_clocks_agree(
    number: int, prover: Prover, on_the_wall: dict[int, Future[Passed]], tmp_path: Path
) -> None:
    case = CASES[number]
    root = write(case, tmp_path)
    in_the_lab = passed(prover, root, case.task, case.check)
    expected = dict.fromkeys(in_the_lab, True) if case.exact else in_the_lab
    assert on_the_wall[number].result() == expected
