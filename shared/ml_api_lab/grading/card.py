"""The card: all that a student sees of a failed check."""

from __future__ import annotations

import textwrap

from ml_api_lab.course.catalog import Check
from ml_api_lab.errors import (
    RAISED,
    Hinted,
    LabError,
    NotThere,
    StartFailed,
    Stopped,
    Untimed,
)
from ml_api_lab.lab_time import time_of_day
from ml_api_lab.sandbox.transcript import Raised, Transcript
from ml_api_lab.sanitize import (
    CARD_LIMIT,
    MESSAGE_LIMIT,
    ROW_LIMIT,
    sanitize,
    sanitize_and_truncate,
    truncate,
)

WIDTH = 96
_MAX_ENTRIES = 24
_MAX_LINES = 24


def card(
    check: Check,
    message: str,
    transcript: Transcript | None,
    rerun_command: str,
    *,
    hint: str | None = None,
    is_lab_time: bool = True,
) -> str:
    """Return the card of a failed check as plain text, of a bounded length.

    What the submission said is cut by line and in the middle; where something is left out, the
    card says so.

    Args:
        message: what was seen against what is right, in a sentence.
        transcript: what happened, None if nothing did.
        rerun_command: the command that runs this check again.
        hint: in place of the check's own; "" for none.
        is_lab_time: whether the times in the transcript are lab time, and not the wall clock's.
    """
    blocks = [f"{check.title}  (0 of {_points_text(check.points)})", _wrapped(message)]
    if transcript is not None:
        if transcript.entries:
            rows = [_row(f"{time_of_day(at):<12}  ", text) for at, text in transcript.entries]
            title = "What happened, in lab time:" if is_lab_time else "What happened:"
            blocks.append(_block(title, _without_middle(rows, _MAX_ENTRIES)))
        if transcript.lines:
            rows = [_row(f"{time_of_day(line.at):<12}| ", line.text) for line in transcript.lines]
            rows_shown = _without_middle(rows, _MAX_LINES)
            if transcript.dropped:
                rows_shown.append(f"... and {transcript.dropped} lines more, which were not kept")
            if transcript.unread:
                rows_shown.append(f"... and {transcript.unread} bytes more, which were not read")
            blocks.append(_block("What it printed:", rows_shown))
        blocks.extend(_traceback(raised) for raised in _unique(transcript.raised))
    text = sanitize_and_truncate("\n\n".join(blocks), CARD_LIMIT)
    # Made plain last, as the reader's lines are: wrapping could begin one with a command.
    if hint is None:
        hint = check.hint
    hints = [_wrapped(f"Hint: {hint}")] if hint else []
    return sanitize("\n\n".join([text, *hints, f"Again: {rerun_command}"]))


def hint_of(check: Check, error: BaseException | None) -> str:
    """Return the hint for a check that failed so, "" if none would help."""
    if isinstance(error, Hinted):
        return error.hint
    if isinstance(error, NotThere | Untimed) or (isinstance(error, StartFailed) and error.is_slip):
        return ""
    if isinstance(error, Stopped):
        return RAISED
    return check.hint


def message_of(error: BaseException | None, *, skipped: bool = False) -> str:
    """Return the sentence that says why a check failed; it is plain and of a bounded length."""
    return sanitize_and_truncate(_sentence(error, skipped), MESSAGE_LIMIT)


def _sentence(error: BaseException | None, skipped: bool) -> str:
    if isinstance(error, LabError):
        return str(error)
    if isinstance(error, AssertionError):
        # pytest appends its own explanation of the comparison to the author's sentence.
        return str(error).split("\nassert ")[0]
    if skipped:
        return "The check was skipped, and a skipped check earns nothing."
    kind = type(error).__name__ if error is not None else "an unknown error"
    return f"The check could not make sense of what it got ({kind}: {error})."


def _points_text(number: int) -> str:
    return "1 point" if number == 1 else f"{number} points"


def _wrapped(text: str) -> str:
    """Return the text wrapped; a line of its own after the first is set in, as what was said is."""
    first, *rest = text.splitlines() or [""]
    lines = [first, *(f"  {line}" for line in rest)]
    return "\n".join(
        textwrap.fill(line, WIDTH, break_long_words=False, break_on_hyphens=False) for line in lines
    )


def _block(title: str, rows: list[str]) -> str:
    return "\n".join([title, *(f"  {row}" for row in rows)])


def _row(lead: str, text: str) -> str:
    return lead + sanitize_and_truncate(
        text[: ROW_LIMIT + 1].replace("\n", "\\n").replace("\t", "\\t"), ROW_LIMIT
    )


def _without_middle(rows: list[str], max_rows: int) -> list[str]:
    """Return the rows without their middle if there are too many."""
    if len(rows) <= max_rows:
        return rows
    half = max_rows // 2
    left_out = len(rows) - 2 * half
    return [*rows[:half], f"... {left_out} more ...", *rows[-half:]]


def _unique(raised: list[Raised]) -> list[Raised]:
    unique = {(each.type, each.text, each.frames): each for each in raised}
    return list(unique.values())[:3]


def _traceback(raised: Raised) -> str:
    rows = []
    for frame in raised.frames:
        rows.append(_row("", str(frame)))
        if frame.source:
            rows.append(_row("    ", frame.source))
    rows_shown = _without_middle(rows, _MAX_ENTRIES)
    text = truncate(str(raised), MESSAGE_LIMIT).replace("\n", "\n  ")
    when = " when it shut down" if raised.stage == "shutdown" else ""
    where = "" if rows else "\n  in no line of yours, but in code that was given something of yours"
    return _block(f"It raised{when} {text}{where}", rows_shown)
