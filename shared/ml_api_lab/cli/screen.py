"""One screen of `lab watch`: what is shown, cut so that it fits a terminal of any size."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Literal

from ml_api_lab.cli.text import cut, wrap

Style = Literal["plain", "good", "bad", "note", "keys"]

KEYS = "h hint  n/p task  l list  a all  Enter again  q quit"
KEYS_TOLD = (
    "Keys: h next hint, n next task, p previous task, l list of tasks, a all cards, "
    "Enter grade again, q quit."
)
"""What a key that has no meaning is answered with."""

_CODES: dict[Style, str] = {
    "plain": "",
    "good": "\x1b[1;32m",
    "bad": "\x1b[1;31m",
    "note": "\x1b[33m",
    "keys": "\x1b[2m",
}
_DEFAULT_SIZE = os.terminal_size((80, 24))
_MORE = "... (a: all of it)"
_JOIN = "\N{NO-BREAK SPACE}"


@dataclass(frozen=True)
class View:
    """What there is to show.

    Attributes:
        title: the row at the top; `is_good`: whether it tells of all points.
        body: what stands between, as paragraphs.
        note: the line above the keys.
    """

    title: str
    is_good: bool
    body: Sequence[str]
    note: str


def size() -> os.terminal_size:
    """Return the size of the terminal now."""
    try:
        found = os.get_terminal_size(sys.stdout.fileno())
    except (OSError, ValueError):
        return _DEFAULT_SIZE
    return found if found.columns and found.lines else _DEFAULT_SIZE


def compose(view: View, columns: int, lines: int) -> list[tuple[str, Style]]:
    """Return the rows of a screen, each with its style: at most so many, none too wide."""
    note = wrap(view.note, columns)[:2] if view.note else []
    bottom: list[tuple[str, Style]] = [(row, "note") for row in note]
    bottom.extend((row, "keys") for row in _rows_of_keys(columns))
    room = max(lines - 2 - len(bottom), 1)
    rows: list[tuple[str, Style]] = [(cut(view.title, columns), "good" if view.is_good else "bad")]
    rows.append(("", "plain"))
    rows.extend((row, "plain") for row in _fitting(view.body, columns, room))
    return [*rows, *bottom][-lines:] if lines < len(rows) + len(bottom) else [*rows, *bottom]


def _rows_of_keys(columns: int) -> list[str]:
    """Return the keys in two rows at most; a key stays on one row with what it does."""
    joined = re.sub(r"(?<=\S) (?=\S)", _JOIN, KEYS)
    return [row.replace(_JOIN, " ") for row in wrap(joined, columns)[:2]]


def _fitting(paragraphs: Sequence[str], columns: int, room: int) -> list[str]:
    """Return the paragraphs as so many rows at most; a hint stays, and the log goes first."""
    rows = _rows(paragraphs, columns)
    if len(rows) <= room:
        return rows
    # A save grades again, so the command that does is the first to go.
    paragraphs = [each for each in paragraphs if not each.startswith("Again:")]
    rows = _rows(paragraphs, columns)
    if len(rows) <= room:
        return rows
    tail = [each for each in paragraphs[1:] if each.startswith("Hint:")]
    end = ["", *_rows(tail, columns)] if tail else []
    if len(end) + 4 > room:
        end = []
    head = _rows([each for each in paragraphs if each not in tail or not end], columns)
    return [*head[: room - len(end) - 1], cut(_MORE, columns), *end]


def _rows(paragraphs: Sequence[str], columns: int) -> list[str]:
    rows: list[str] = []
    for number, each in enumerate(paragraphs):
        rows.extend(([""] if number else []) + wrap(each, columns))
    return rows


def paint(rows: Sequence[tuple[str, Style]], *, colours: bool) -> str:
    """Return what draws these rows over whatever the screen shows."""
    painted = []
    for text, style in rows:
        code = _CODES[style] if colours else ""
        painted.append(f"{code}{text}\x1b[0m\x1b[K" if code else f"{text}\x1b[K")
    return "\x1b[H" + "\n".join(painted) + "\x1b[J"


def clear() -> str:
    """Return what empties the screen; what it showed stays above, where one can scroll to."""
    return "\x1b[2J\x1b[H"


def prepare_windows() -> None:
    """Have a Windows console understand what clears the screen and colours it."""
    if os.name == "nt":
        import_module("colorama").just_fix_windows_console()  # comes with click there
