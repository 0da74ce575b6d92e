"""Where checks read kindly, another is strict: it alone stands between a mistake and full points.

Each leniency has a mistake that all checks of its task but one let pass. Without that check it
would be caught by none; so a leniency without a strict check shows here.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.proofs.prover import Case, Prover, cases

LENIENCIES = {
    "a model that is never loaded": "task_2_2: loads one of the two",
    "one file in the place of another": "task_2_2: loads the same file under both names",
    "a load at import beside another": "task_2_2: loads at import and again in the lifespan",
    "an endpoint that is gone": "task_2_2: a second application takes the place of the first",
}
CASES = {case.id: case for case in cases("mistake")}


@pytest.mark.parametrize("leniency", LENIENCIES)
def test_the_strict_check_alone_catches_it(leniency: str, prover: Prover, tmp_path: Path) -> None:
    case: Case = CASES[LENIENCIES[leniency]]
    case.write(tmp_path)
    verdicts = prover.grade(tmp_path, case.task)
    assert [name for name, each in verdicts.items() if each.message] == [case.check]
