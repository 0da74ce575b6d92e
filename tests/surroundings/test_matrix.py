"""Some of the surroundings of `matrix.py`, one of each kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.surroundings.matrix import grade_in, pytestmark

__all__ = ["pytestmark"]

ONE_OF_EACH_KIND = (
    "all streams closed",
    "warnings are errors",
    "no assertions",
    "another encoding",
    "no home",
    "a lab that cannot be written",
)


@pytest.mark.parametrize("name", ONE_OF_EACH_KIND)
def test_solutions_in(name: str, tmp_path: Path) -> None:
    grade_in(name, tmp_path)
