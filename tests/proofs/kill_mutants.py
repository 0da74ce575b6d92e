"""Every mutant of a solution fails a check, or is listed with the reason why it is right too.

Slow, since each is graded by itself: ``tox -e mutants``.
"""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.proofs.mutants import Mutant, mutants
from tests.proofs.prover import CORPUS, COURSE, LEFT_OUT, Prover

SURVIVORS = tomllib.loads((CORPUS / "survivors.toml").read_text(encoding="utf-8")).get(
    "survivor", []
)


@pytest.fixture(scope="module")
def prover() -> Iterator[Prover]:
    prover = Prover(budget=10)  # for mutants that never end
    yield prover
    prover.close()


@pytest.mark.parametrize("task", Prover.tasks())
def test_checks_kill_the_mutants(task: str, prover: Prover, tmp_path: Path) -> None:
    survivors = [mutant for mutant in of_task(task) if not killed(prover, task, mutant, tmp_path)]
    expected = [(s["file"], s["was"], s["becomes"]) for s in SURVIVORS if s["task"] == task]
    seen = [(mutant.file, mutant.was, mutant.becomes) for mutant in survivors]
    assert sorted(set(seen)) == sorted(set(expected))


@pytest.mark.parametrize("survivor", SURVIVORS, ids=lambda s: f"{s['task']}: {s['becomes']}")
def test_survivors_have_a_reason(survivor: dict[str, str]) -> None:
    assert survivor.keys() == {"task", "file", "was", "becomes", "reason"}
    assert len(survivor["reason"]) > 20


def of_task(task: str) -> Iterator[Mutant]:
    stub, solution = COURSE / "exercises" / task, COURSE / "solutions" / task
    for path in sorted(solution.glob("*.py")):
        yield from mutants(stub, solution, path.name)


def killed(prover: Prover, task: str, mutant: Mutant, folder: Path) -> bool:
    tree = folder / "tree"
    shutil.rmtree(tree, ignore_errors=True)
    shutil.copytree(COURSE / "solutions" / task, tree / task, ignore=LEFT_OUT)
    (tree / task / mutant.file).write_text(mutant.source, encoding="utf-8")
    return any(
        prover.grade(tree, task, check.name)[check.name].message is not None
        for check in prover.checks(task)
    )
