"""Fitting a report into what its platform takes: cards become shorter until it fits."""

from __future__ import annotations

from collections.abc import Callable

from shared.plain import CARD_LIMIT, cut

_STEPS = (CARD_LIMIT * 2, 4_000, 1_000, 0)


def fitted(draw: Callable[[Callable[[str], str]], str], most: int) -> str:
    """Return what `draw` draws, with cards as long as fit into that many bytes of UTF-8.

    Args:
        draw: draws the report; it is given the function that shortens a card.
    """
    text = ""
    for step in _STEPS:
        text = draw(lambda card, step=step: cut(card, step))  # type: ignore[misc]
        if len(text.encode()) <= most:
            break
    return text
