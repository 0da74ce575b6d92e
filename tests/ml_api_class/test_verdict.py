"""Verdicts come back from text as they were."""

from __future__ import annotations

from ml_api_class.verdict import CheckVerdict, TaskVerdict, outcomes
from tests.ml_api_class.toy_class import verdict


def test_a_verdict_comes_back_as_it_was() -> None:
    given = TaskVerdict(
        "task_0_1",
        (
            CheckVerdict("a", "A.", passed=True, points=4, maximum=4, lab_time=2_000_000_000),
            CheckVerdict("b", "B.", False, 0, 6, "Zoë", "card\n\udcff", "hint", 0, True),
        ),
    )
    assert TaskVerdict.from_json(given.to_json()) == given
    assert (given.score, given.maximum, given.is_doubtful) == (4, 10, True)
    assert outcomes([given, verdict("task_0_2", 10)]) == {
        "a": (True, 4),
        "b": (False, 0),
        "checks/task_0_2/test_toy.py::test_one": (True, 10),
    }
