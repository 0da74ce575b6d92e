"""Some of the surroundings of `matrix.py`; `tox -e surroundings` takes all of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.surroundings.matrix import grade_in, pytestmark

__all__ = ["pytestmark"]

SOME = (
    "all streams closed",
    "no assertions",
    "a lab that cannot be written",
)


@pytest.mark.parametrize("name", SOME)
def test_solutions_in(name: str, tmp_path: Path) -> None:
    grade_in(name, tmp_path)
