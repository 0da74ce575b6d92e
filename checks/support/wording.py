"""How several things are named in one sentence."""

from __future__ import annotations

from collections.abc import Sequence


def joined(names: Sequence[str]) -> str:
    """Return the names for a sentence, as in "one, two and three"."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
