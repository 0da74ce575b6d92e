"""The checks are proved: mistakes fail them by name, variants pass them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.proofs.prover import Case, Prover, cases

MISTAKES = list(cases("mistake"))
VARIANTS = list(cases("variant"))


@pytest.mark.parametrize("case", MISTAKES, ids=lambda case: case.id)
def test_mistake_fails_its_check(case: Case, prover: Prover, tmp_path: Path) -> None:
    case.write(tmp_path)
    assert case.check is not None
    verdict = prover.grade(tmp_path, case.task, case.check)[case.check]
    assert verdict.message is not None, f"{case.check} accepts it"
    assert case.says in verdict.message


@pytest.mark.parametrize("case", VARIANTS, ids=lambda case: case.id)
def test_variant_earns_everything(case: Case, prover: Prover, tmp_path: Path) -> None:
    case.write(tmp_path)
    verdicts = prover.grade(tmp_path, case.task)
    assert {name: each.message for name, each in verdicts.items() if each.message} == {}
