"""Item statistics, against values that were worked out on paper."""

from __future__ import annotations

import math

import pytest

from ml_api_class.page.statistics import correlation, item, mean_known


def test_the_item_itself_is_left_out_of_the_rest() -> None:
    # Points 0, 2, 2 in the item; in all 3, 7, 9; so the rests are 3, 5, 7 and r is sqrt(3) / 2.
    found = item([0, 2, 2], [3, 7, 9], 2)
    assert (found.began, found.passed, found.note) == (3, 2, "")
    assert found.mean == pytest.approx(4 / 3)
    assert found.rest_correlation == pytest.approx(math.sqrt(3) / 2)


def test_an_item_against_the_rest_is_negative() -> None:
    assert item([2, 0, 0, 2], [2, 8, 8, 2], 2).rest_correlation == pytest.approx(-1)


@pytest.mark.parametrize(
    ("first", "second"), [([], []), ([1, 2], [1, 2]), ([2, 2, 2], [1, 2, 3]), ([1, 2, 3], [7] * 3)]
)
def test_where_it_is_not_defined_there_is_none(first: list[int], second: list[int]) -> None:
    assert correlation(first, second) is None


@pytest.mark.parametrize(
    ("points", "note"),
    [
        ([], "nobody has begun"),
        ([0, 1, 0], "nobody passed this"),
        ([2, 2], "nobody failed this"),
        ([2, 0], ""),
    ],
)
def test_what_an_author_should_look_at_is_noted(points: list[int], note: str) -> None:
    assert item(points, points, 2).note == note


def test_what_is_not_known_is_not_in_a_mean() -> None:
    assert mean_known([0, 2, 0, 3]) == pytest.approx(2.5)
    assert mean_known([0, 0]) is None
