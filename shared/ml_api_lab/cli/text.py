"""Text in a terminal: how wide it is, wrapped and cut to a width; and a line of progress."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Callable, Iterator

_TAB = 4


def cells(text: str) -> int:
    """Return how many columns a text takes: some characters take two, some none."""
    return len(text) if text.isascii() else sum(map(_cells_of, text))


def cut(text: str, width: int) -> str:
    """Return the text, cut to that many columns, with dots where something is missing."""
    if cells(text) <= width:
        return text
    kept = ""
    for character in text:
        if cells(kept + character) > max(width - 3, 0):
            break
        kept += character
    return (kept + "...")[:width]


def pad(text: str, width: int) -> str:
    """Return the text, cut or filled up to exactly that many columns."""
    text = cut(text, width)
    return text + " " * (width - cells(text))


def wrap(text: str, width: int) -> list[str]:
    """Return the text as rows of at most that many columns; a row goes on as far in as it began."""
    return [row for line in text.split("\n") for row in _rows(line.expandtabs(_TAB), width)]


def progress_line(noun: str, before: str = "") -> Callable[[int, int], None]:
    """Return what shows how many of how many are done, on a line of a terminal's error stream.

    Args:
        noun: what they are, in the plural.
        before: what stands at the beginning of the line.
    """
    shows = sys.stderr.isatty()

    def show(done: int, number: int) -> None:
        if shows:
            text = f"{before}{done} of {number} {noun}"
            shown = " " * len(text) if done == number else text
            print(f"\r{shown}\r", end="", file=sys.stderr, flush=True)

    return show


def _rows(line: str, width: int) -> Iterator[str]:
    indent = line[: len(line) - len(line.lstrip())][: width // 2]
    while cells(line) > width:
        fits = _characters_that_fit(line, width)
        space = line.rfind(" ", len(indent) + 1, fits + 1)
        end = space if space > 0 else fits
        yield line[:end].rstrip()
        line = indent + line[end:].lstrip()
    yield line


def _characters_that_fit(line: str, width: int) -> int:
    taken = 0
    for number, character in enumerate(line):
        taken += _cells_of(character)
        if taken > width:
            return max(number, 1)
    return len(line)


def _cells_of(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
