"""The checks are proved: mistakes fail them by name, variants pass them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.proofs import costs
from tests.proofs.prover import Case, Prover, cases

MISTAKES = list(cases("mistake"))
VARIANTS = list(cases("variant"))
PLACES = {case.id: place for place, case in enumerate(MISTAKES)}
SHARE = 16
"""Of so many mistakes one is graded with all checks of its task here; `tox -e costs` does it with
each."""


@pytest.mark.parametrize("case", MISTAKES, ids=lambda case: case.id)
def test_mistake_fails_its_check(case: Case, drawing_prover: Prover, tmp_path: Path) -> None:
    case.write(tmp_path)
    assert case.check is not None
    with_all_checks = PLACES[case.id] % SHARE == 0
    verdicts = drawing_prover.grade(tmp_path, case.task, None if with_all_checks else case.check)
    message = verdicts[case.check].message
    assert message is not None, f"{case.check} accepts it"
    assert case.says in message
    if with_all_checks:
        others = costs.cost(drawing_prover, case, verdicts).unexplained
        assert not others, f"also fails {others}, of which its entry has no reason to speak"


@pytest.mark.parametrize("case", MISTAKES, ids=lambda case: case.id)
def test_what_a_mistake_fails_too_is_in_its_task(case: Case, prover: Prover) -> None:
    names = {check.name for check in prover.checks(case.task)}
    assert set(case.also) <= names - {case.check}


@pytest.mark.parametrize("case", VARIANTS, ids=lambda case: case.id)
def test_variant_earns_everything(case: Case, drawing_prover: Prover, tmp_path: Path) -> None:
    case.write(tmp_path)
    verdicts = drawing_prover.grade(tmp_path, case.task)
    assert {name: each.message for name, each in verdicts.items() if each.message} == {}
