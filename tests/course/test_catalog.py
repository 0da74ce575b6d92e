"""Trees of Python source that several threads ask for at once."""

from __future__ import annotations

import ast
import gc
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ml_api_lab.course.catalog import parse

TEXT = Path(__file__).read_text(encoding="utf-8")


class Finalized:
    """Garbage whose end runs Python code, in which threads take turns."""

    def __init__(self) -> None:
        self.itself = self

    def __del__(self) -> None:
        for _ in range(20):
            pass


@pytest.fixture
def restless() -> Iterator[None]:
    """Let threads take turns, and garbage be collected, at any time."""
    interval, thresholds = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(1e-6)
    gc.set_threshold(50)
    yield
    sys.setswitchinterval(interval)
    gc.set_threshold(*thresholds)


def test_threads_do_not_disturb_each_other(restless: None) -> None:
    right = ast.dump(ast.parse(TEXT))

    def trees(_: int) -> set[str]:
        found = set()
        for _ in range(30):
            Finalized()
            found.add(ast.dump(parse(TEXT)))
        return found

    with ThreadPoolExecutor(6) as pool:
        assert set.union(*pool.map(trees, range(6))) == {right}


def test_a_warning_is_not_ours() -> None:
    """What Python warns of is the submission's own affair."""
    assert isinstance(parse(r"print('\d')"), ast.Module)
