"""A sample of what `python -m tests.proofs.screens` counts: what a student sees fits one screen."""

from __future__ import annotations

from pathlib import Path

import pytest

from ml_api_lab.course.corpus import Edit
from tests.proofs.prover import Case, cases
from tests.proofs.screens import SCREEN, OwnCourse, rows

TASK = "task_3_2"
SYNTAX_ERROR = Case(
    TASK, "a colon too many", (Edit("main.py", "(model_name: str,", "(model_name:: str,"),)
)
MISTAKE = next(case for case in cases("mistake") if case.id == f"{TASK}: each model has a lock")


@pytest.mark.parametrize("case", [None, SYNTAX_ERROR, MISTAKE], ids=["stub", "syntax", "mistake"])
def test_it_fits_one_screen(case: Case | None, tmp_path: Path) -> None:
    course = OwnCourse(tmp_path)
    if case is not None:
        course.submit(case)
    output = course.output(TASK)
    assert "3.2 Async predictions" in output
    assert rows(output) <= SCREEN, output
