"""Every mutant of a solution fails a check, or is listed with the reason why it is right too.

Slow, since each is graded by itself: ``tox -e mutants``. ``lab author check --mutants`` says the
same of one task, with the entries that are missing in the list.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.proofs.author import survivors
from tests.proofs.author.survivors import Change
from tests.proofs.mutants import Mutant
from tests.proofs.prover import COURSE, Prover

EXPLAINED = [each.change for each in survivors.read(COURSE)]


@pytest.fixture(scope="module")
def prover() -> Iterator[Prover]:
    prover = Prover(budget=10)  # for mutants that never end
    yield prover
    prover.close()


@pytest.mark.parametrize("task", Prover.tasks())
def test_checks_kill_the_mutants(
    task: str, prover: Prover, tmp_path_factory: pytest.TempPathFactory
) -> None:
    survived = {
        Change.by(task, mutant)
        for mutant in survivors.of_task(COURSE, task)
        if not killed(prover, task, mutant, tmp_path_factory.mktemp("mutant"))
    }
    assert sorted(survived) == sorted({each for each in EXPLAINED if each.task == task})


def killed(prover: Prover, task: str, mutant: Mutant, tree: Path) -> bool:
    survivors.write(COURSE, task, mutant, tree)
    return any(
        prover.grade(tree, task, check.name)[check.name].message is not None
        for check in prover.checks(task)
    )
