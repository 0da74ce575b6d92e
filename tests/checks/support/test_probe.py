"""Reports of a program beside the submission: what does not fit its fields is no report."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from checks.support.probe import _fitting


@dataclass(frozen=True)
class Report:
    """As a program would print one."""

    names: list[str]
    number: int


RIGHT = '{"names": ["a"], "number": 1}'


@pytest.mark.parametrize(
    "forged",
    [
        "no JSON",
        "[" * 100_000,
        "[]",
        "{}",
        '{"names": ["a"]}',
        '{"names": ["a"], "number": 1, "more": 2}',
        '{"names": "a", "number": 1}',
        '{"names": [1], "number": 1}',
        '{"names": ["a"], "number": "1"}',
    ],
)
def test_only_what_fits_is_a_report(forged: str) -> None:
    assert list(_fitting([forged, RIGHT, forged], Report)) == [Report(["a"], 1)]
