"""A question that an application with defaults is asked in several ways."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import cast

import pytest

from checks.task_4_5.cache_key import DEFAULTS, mostly_defaults
from ml_api_lab.check import Task

WIDTH, LENGTH = (list(DEFAULTS).index(name) for name in ("sepal_width", "sepal_length"))


def task_with(answer: Callable[[list[float]], int]) -> Task:
    models = SimpleNamespace(answer=lambda model, flower: answer(flower))
    return cast(Task, SimpleNamespace(models=models))


def test_the_first_width_that_is_not_of_class_0_is_taken() -> None:
    found = mostly_defaults(task_with(lambda flower: int(flower[WIDTH] >= 3)))
    assert found == ("sepal_width", 3, [5.1, 3.0, 1.4, 0.2])


def test_another_feature_is_taken_where_all_widths_are_of_class_0() -> None:
    found = mostly_defaults(task_with(lambda flower: 2 if flower[LENGTH] == 9.0 else 0))
    assert found == ("sepal_length", 9, [9.0, 3.5, 1.4, 0.2])


def test_a_model_with_one_class_alone_is_told() -> None:
    with pytest.raises(AssertionError, match="three defaults"):
        mostly_defaults(task_with(lambda flower: 0))
