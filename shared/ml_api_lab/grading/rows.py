"""Text in rows of a width: whole, or with the middle of a long sentence left out."""

from __future__ import annotations

import re
import textwrap

_MAX_MESSAGE_ROWS = 6

_RIGHT = re.compile(r";\s+(?=right\b)")
_CLAUSE = re.compile(r"[.:;]\s+(?=\w)")


def wrapped(text: str, columns: int, *, break_long_words: bool = False) -> list[str]:
    """Return the text in rows; a line of its own after the first is set in, as what was said is."""
    first, *rest = text.splitlines() or [""]
    return [
        row
        for line in (first, *(f"  {line}" for line in rest))
        for row in textwrap.wrap(
            line, columns, break_long_words=break_long_words, break_on_hyphens=False
        )
        or [""]
    ]


def shortened(message: str, columns: int) -> list[str]:
    """Return the sentence in rows; of one that is too long its middle is left out.

    It begins with what was done, and ends with what is right: a long answer stands between.
    """
    rows = wrapped(message, columns, break_long_words=True)
    if len(rows) <= _MAX_MESSAGE_ROWS:
        return wrapped(message, columns)
    text = "\n".join(rows)
    ends = [*_RIGHT.finditer(text)] or [*_CLAUSE.finditer(text)]
    needed = text.count("\n", ends[-1].end()) + 1 if ends else 0
    last = min(max(needed, _MAX_MESSAGE_ROWS // 2), _MAX_MESSAGE_ROWS - 1)
    first = _MAX_MESSAGE_ROWS - last
    return [*rows[:first], "... (the whole sentence with -v) ...", *rows[-last:]]
