"""Lengths of lab time: how they read, and how they compare."""

from __future__ import annotations

from ml_api_lab.check import milliseconds, seconds
from ml_api_lab.lab_time import RoughSpan, time_of_day


def test_spans_read_like_seconds() -> None:
    assert str(seconds(3) + milliseconds(500)) == "3.5 s"
    assert f"{seconds(2) - 1:>14}" == "2 s".rjust(14)
    assert repr(milliseconds(1)) == "0.001 s"
    assert time_of_day(seconds(3661.5)) == "10:01:01.500"


def test_rough_spans_compare_with_a_tolerance() -> None:
    rough = RoughSpan(seconds(3.3))
    assert rough == seconds(3)
    assert rough != seconds(2)
    assert rough <= seconds(3) <= rough
    assert not rough < seconds(3)
    assert not rough > seconds(3)
    assert rough > seconds(2)
    assert rough < seconds(4)
    assert isinstance(rough - seconds(1), RoughSpan)
    assert rough != "3 s"
    assert len({rough, RoughSpan(seconds(3.3))}) == 1
