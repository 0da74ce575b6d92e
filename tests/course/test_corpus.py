"""Edits of a solution: each fits once, or is an error."""

from __future__ import annotations

from pathlib import Path

import pytest

from ml_api_lab.course.corpus import Edit, variants_of
from tests.proofs.prover import COURSE, Prover


@pytest.mark.parametrize(
    ("edit", "text", "expected"),
    [
        (Edit("f", "a", "b"), "xay", "xby"),
        (Edit("f", None, "new"), None, "new"),
        (Edit("f", None, "new"), "old", "new"),
        (Edit("f", "all of it", None), "old", None),
    ],
)
def test_an_edit(edit: Edit, text: str | None, expected: str | None) -> None:
    assert edit.applied(text) == expected


@pytest.mark.parametrize(("text", "times"), [("b", 0), ("aa", 2), (None, 0)])
def test_an_edit_that_does_not_fit(text: str | None, times: int) -> None:
    with pytest.raises(ValueError, match=f"'a' occurs {times} times in f, not once"):
        Edit("f", "a", "b").applied(text)


@pytest.mark.parametrize("task", Prover.tasks())
def test_each_task_has_variants(task: str) -> None:
    assert len(variants_of(COURSE, task)) >= 2


def test_a_course_without_a_corpus_has_none(tmp_path: Path) -> None:
    assert variants_of(tmp_path, "task_0_1") == []
