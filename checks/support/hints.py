"""Hints that follow from how a check failed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ml_api_lab.check import Hinted


@contextmanager
def hinted(hint: str) -> Iterator[None]:
    """Give an assertion that fails here that hint in place of the check's; one keeps its own."""
    try:
        yield
    except Hinted:
        raise
    except AssertionError as error:
        raise Hinted(str(error), hint) from None
