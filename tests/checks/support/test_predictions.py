"""What a check tells of the models that were asked."""

from __future__ import annotations

import pytest

from checks.support.predictions import MODELS, what_was_asked
from ml_api_lab.check import Call, seconds

MODEL, OTHER = MODELS
FLOWER = [5.1, 3.5, 1.4, 0.2]
SINGLE = 0.20000000298023224  # 0.2 as a 32-bit float


def call(model: str, *rows: list[float]) -> Call:
    return Call(seconds(0), model, list(rows))


@pytest.mark.parametrize(
    ("calls", "told"),
    [
        ([], "No model was asked between the request and its answer."),
        ([call(MODEL, FLOWER)], f"Your code asked {MODEL} with these features."),
        ([call(MODEL, [*FLOWER[:3], SINGLE])], f"Your code asked {MODEL} with these features."),
        ([call(OTHER, FLOWER)], f"Your code asked {OTHER} with these features."),
        (
            [call(MODEL, [3.5, 5.1, 1.4, SINGLE])],
            f"Your code asked {MODEL} with the row [3.5, 5.1, 1.4, 0.2].",
        ),
        ([call(OTHER, [5, 4, 1, 0])], f"Your code asked {OTHER} with the row [5, 4, 1, 0]."),
        ([call(MODEL, FLOWER, FLOWER)], f"Your code asked {MODEL} with 2 rows."),
        ([call(MODEL)], f"Your code asked {MODEL} with no table of numbers."),
        ([call(MODEL, [5, 4, 1, 0]), call(MODEL, FLOWER)], ""),
        (
            [call(MODEL, [5, 4, 1, 0]), call(OTHER, FLOWER)],
            f"Your code asked {MODEL}, but never with these features.",
        ),
        ([call(OTHER, FLOWER), call(OTHER, FLOWER)], f"Your code did not ask {MODEL}."),
    ],
)
def test_it_is_told_what_was_asked(calls: list[Call], told: str) -> None:
    assert what_was_asked(calls, MODEL, FLOWER).sentence == told


def test_each_cause_has_its_hint() -> None:
    causes = [[], [call(MODEL, FLOWER)], [call(OTHER, FLOWER)], [call(MODEL, [5, 4, 1, 0])]]
    hints = {what_was_asked(calls, MODEL, FLOWER).hint for calls in causes}
    assert len(hints) == len(causes)
    assert "" not in hints


def test_a_row_of_another_length_is_not_these_features() -> None:
    told = what_was_asked([call(MODEL, FLOWER[:3])], MODEL, FLOWER).sentence
    assert told == f"Your code asked {MODEL} with the row [5.1, 3.5, 1.4]."
