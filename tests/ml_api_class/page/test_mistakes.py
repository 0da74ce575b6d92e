"""Groups of mistakes: the same mistake is one group, whatever the values; another one is not."""

from __future__ import annotations

import pytest

from ml_api_class.page.mistakes import Groups, key_of, normalised
from tests.ml_api_class.page.class_of_two import check


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("It took 14 s; right is 3 s.", "It took 7.5 s; right is 3 s."),
        ("It printed 'bye'.", "It printed 'good bye'."),
        ('It answered {"a": [1, 2]}; 200.', 'It answered {"b": 4}; 404.'),
        ("GET /models  answered\n500.", "GET /models answered 404."),
    ],
)
def test_values_do_not_tell_mistakes_apart(first: str, second: str) -> None:
    assert normalised(first) == normalised(second)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("It took 14 s; right is 3 s.", "It never answered."),
        ("GET /models answered 500.", "GET /health answered 500."),
    ],
)
def test_sentences_do(first: str, second: str) -> None:
    assert normalised(first) != normalised(second)


def test_so_does_the_exception_and_the_log_does_not() -> None:
    def failure(card: str) -> str:
        return key_of(check("task_0_1", "test_a", 0, 2, "It answered 500.", card))

    key_error = failure("Title\n\n -> GET /a\n\nIt raised KeyError: 'x'\n main.py:3")
    assert key_error == failure("Title\n\n -> GET /b\n\nIt raised KeyError: 'y'\n main.py:90")
    assert key_error != failure("Title\n\n -> GET /a\n\nIt raised TypeError: 'x'\n main.py:3")


def test_a_long_message_costs_no_time() -> None:
    assert len(normalised("'" * 1_000_000)) < 10_000


def test_the_largest_group_comes_first_and_of_two_the_dearer() -> None:
    groups = Groups()
    cheap = check("task_0_1", "test_a", 1, 2, "Cheap.")
    dear = check("task_0_1", "test_b", 0, 5, "Dear.")
    often = check("task_0_1", "test_c", 0, 1, "Often 1.")
    also = check("task_0_1", "test_c", 0, 1, "Often 2.")
    groups.add(0, 0, 0, cheap, 10)
    groups.add(1, 0, 1, dear, 11)
    groups.add(2, 0, 2, often, 12)
    groups.add(3, 0, 2, also, 13)
    found = [(each.message, each.points, each.students, each.card) for each in groups.sorted()]
    assert found == [
        ("Often 1.", 1, [2, 3], 12),
        ("Dear.", 5, [1], 11),
        ("Cheap.", 1, [0], 10),
    ]


def test_checks_of_a_task_that_say_the_same_are_one_mistake() -> None:
    groups = Groups()
    for number, points in enumerate((2, 3)):
        groups.add(7, 0, number, check("task_0_1", f"test_{number}", 0, points, "No start."), 5)
    groups.add(8, 0, 1, check("task_0_1", "test_1", 0, 3, "No start."), 5)
    groups.add(7, 1, 9, check("task_1_1", "test_9", 0, 4, "No start."), 6)
    found = [(g.task, g.checks, g.points, g.lost) for g in groups.sorted()]
    assert found == [(0, [0, 1], 5, {7: 5, 8: 3}), (1, [9], 4, {7: 4})]
