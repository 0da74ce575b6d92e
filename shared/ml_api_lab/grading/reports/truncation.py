"""Fitting a report into what its platform takes: cards become shorter until it fits."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from ml_api_lab.sanitize import CARD_LIMIT, truncate

_CARD_LIMITS = (2 * CARD_LIMIT, 4_000, 1_000)
_LEFT_OUT = "The card is left out, since there is no room for it; the other reports have it."


def fit(render: Callable[[Callable[[str], str]], str], max_bytes: int) -> str:
    """Return what `render` renders, with cards as long as fit into that many bytes of UTF-8.

    Args:
        render: renders the report; it is given the function that shortens a card.
    """
    for limit in _CARD_LIMITS:
        text = render(partial(truncate, max_length=limit))
        if len(text.encode()) <= max_bytes:
            return text
    return render(lambda card: _LEFT_OUT if card else "")
