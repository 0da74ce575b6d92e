"""The line that shows how far a run is."""

from __future__ import annotations

import io

import pytest

from ml_api_class.progress import Bar, duration, line
from ml_api_class.supervisor import Totals


@pytest.mark.parametrize(
    ("totals", "seconds", "shown"),
    [
        (Totals(10, 0), 5, "[....................] 0 of 10"),
        (Totals(10, 5, 1), 40, "[##########..........] 5 of 10, about 50 s left"),
        (Totals(10, 5, 3), 40, "[##########..........] 5 of 10"),
        (Totals(10, 10, 0, 2), 40, "[####################] 10 of 10, 2 not graded"),
        (Totals(0, 0), 0, "[####################] 0 of 0"),
    ],
)
def test_the_line(totals: Totals, seconds: float, shown: str) -> None:
    assert line(totals, seconds, []) == shown


def test_what_each_worker_is_at() -> None:
    assert line(Totals(2, 1), 1, ["ada 3/9", "bob"]).endswith("1 of 2  ada 3/9 | bob")


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (59, "59 s"), (61, "1 min 1 s"), (7260, "2 h 1 min")]
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_where_there_is_no_terminal_it_is_a_line_a_minute() -> None:
    now = [0.0]
    stream = io.StringIO()
    bar = Bar(list, stream, lambda: now[0])
    for at in (1.0, 59.0, 61.0, 100.0, 122.0):
        now[0] = at
        bar.show(Totals(4, 1))
    bar.clear()
    assert stream.getvalue().splitlines() == ["[#####...............] 1 of 4"] * 2
