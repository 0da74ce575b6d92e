"""The card: all that a student sees of a failed check."""

from __future__ import annotations

import textwrap

from shared.catalog import Check
from shared.errors import LabError
from shared.moment import time_of_day
from shared.plain import plain
from shared.transcript import Raised, Transcript

WIDTH = 96
_ENTRIES = 24
_LINES = 24


def card(check: Check, message: str, transcript: Transcript | None, again: str) -> str:
    """Return the card of a failed check as plain text.

    Args:
        message: what was seen against what is right, in a sentence.
        transcript: what happened, None if nothing did.
        again: the command that runs this check again.
    """
    blocks = [f"{check.title}  (0 of {_points(check.points)})", _filled(message)]
    if transcript is not None:
        if transcript.entries:
            rows = [f"{time_of_day(at):<12}  {plain(text)}" for at, text in transcript.entries]
            blocks.append(_block("What happened, in lab time:", _middle(rows, _ENTRIES)))
        if transcript.lines:
            rows = [f"{time_of_day(line.at):<12}| {plain(line.text)}" for line in transcript.lines]
            shown = _middle(rows, _LINES)
            if transcript.dropped:
                shown.append(f"... and {transcript.dropped} lines more, which were not kept")
            blocks.append(_block("What it printed:", shown))
        blocks.extend(_traceback(raised) for raised in _distinct(transcript.raised))
    blocks.append(_filled(f"Hint: {check.hint}"))
    blocks.append(f"Again: {again}")
    return "\n\n".join(blocks)


def message_of(error: BaseException | None, *, skipped: bool = False) -> str:
    """Return the sentence that says why a check failed."""
    if isinstance(error, LabError):
        return str(error)
    if isinstance(error, AssertionError):
        # pytest appends its own explanation of the comparison to the author's sentence.
        return str(error).split("\nassert ")[0]
    if skipped:
        return "The check was skipped, and a skipped check earns nothing."
    kind = type(error).__name__ if error is not None else "an unknown error"
    return f"The check could not make sense of what it got ({kind}: {error})."


def _points(number: int) -> str:
    return "1 point" if number == 1 else f"{number} points"


def _filled(text: str) -> str:
    lines = plain(text).splitlines()
    return "\n".join(textwrap.fill(line, WIDTH, break_long_words=False) for line in lines)


def _block(title: str, rows: list[str]) -> str:
    return "\n".join([title, *(f"  {row}" for row in rows)])


def _middle(rows: list[str], most: int) -> list[str]:
    """Return the rows without their middle if there are too many."""
    if len(rows) <= most:
        return rows
    half = most // 2
    left_out = len(rows) - 2 * half
    return [*rows[:half], f"... {left_out} more ...", *rows[-half:]]


def _distinct(raised: list[Raised]) -> list[Raised]:
    unique = {(each.type, each.text, each.frames): each for each in raised}
    return list(unique.values())[:3]


def _traceback(raised: Raised) -> str:
    rows = []
    for frame in raised.frames:
        rows.append(plain(str(frame)))
        if frame.source:
            rows.append(f"    {plain(frame.source)}")
    return _block(f"It raised {plain(str(raised))}", _middle(rows, _ENTRIES))
