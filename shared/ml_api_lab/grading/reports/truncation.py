"""Fitting a report into what its platform takes: cards become shorter until it fits."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from ml_api_lab.sanitize import CARD_LIMIT, cut

_STEPS = (2 * CARD_LIMIT, 4_000, 1_000)
_LEFT_OUT = "The card is left out, since there is no room for it; the other reports have it."


def fitted(draw: Callable[[Callable[[str], str]], str], most: int) -> str:
    """Return what `draw` draws, with cards as long as fit into that many bytes of UTF-8.

    Args:
        draw: draws the report; it is given the function that shortens a card.
    """
    for step in _STEPS:
        text = draw(partial(cut, most=step))
        if len(text.encode()) <= most:
            return text
    return draw(lambda card: _LEFT_OUT if card else "")
