"""CSV files that are changed in some cells, and in no other byte.

Python's reader forgets which cells had quotes and how lines ended, so a file that it reads and
writes comes out as another one. Here each cell knows where in the text it stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ml_api_class.errors import ClassError

SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t"}
_BOM = "\ufeff"
_MAX_BYTES = 100 * 2**20


@dataclass(frozen=True)
class Cell:
    """A cell.

    Attributes:
        value: what it says, without quotes.
        start: where it begins in the file's text; `end`: where it ends.
        is_quoted: whether it stands in quotes.
    """

    value: str
    start: int
    end: int
    is_quoted: bool


@dataclass(frozen=True)
class CsvText:
    """A CSV file that was read.

    Attributes:
        rows: its rows; an empty line is none.
    """

    text: str
    separator: str
    rows: tuple[tuple[Cell, ...], ...]

    def replaced(self, cells: Mapping[Cell, str]) -> str:
        """Return the file's text with some cells saying something else."""
        parts = []
        before = 0
        for cell in sorted(cells, key=lambda each: each.start):
            parts.append(self.text[before : cell.start])
            parts.append(self._written(cells[cell], is_quoted=cell.is_quoted))
            before = cell.end
        return "".join([*parts, self.text[before:]])

    def _written(self, value: str, *, is_quoted: bool) -> str:
        is_quoted |= any(each in value for each in (self.separator, '"', "\n", "\r"))
        return '"' + value.replace('"', '""') + '"' if is_quoted else value


def decode(data: bytes, name: str) -> str:
    """Return the text of a file in UTF-8, a byte order mark and all.

    Raises:
        ClassError: it is in another encoding, or too large.
    """
    if len(data) > _MAX_BYTES:
        raise ClassError(f"{name} has more than {_MAX_BYTES // 2**20} MB.")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ClassError(f"{name} is not in UTF-8 ({error}); export it anew as CSV.") from error


def read(text: str, name: str, separator: str | None = None) -> CsvText:
    """Read a CSV file.

    Args:
        separator: between cells; by default, what its first line has most of.

    Raises:
        ClassError: a quote is not closed.
    """
    start = len(_BOM) if text.startswith(_BOM) else 0
    if separator is None:
        separator = _likely_separator(text, start)
    rows: list[tuple[Cell, ...]] = []
    row: list[Cell] = []
    place = start
    while place < len(text):
        cell, place = _cell(text, place, separator, name)
        row.append(cell)
        if place < len(text) and text[place] == separator:
            place += 1
            if place == len(text) or text[place] in "\r\n":
                row.append(Cell("", place, place, is_quoted=False))
            else:
                continue
        if len(row) > 1 or row[0].value or row[0].is_quoted:
            rows.append(tuple(row))
        row = []
        if text[place : place + 2] == "\r\n":
            place += 2
        elif place < len(text):
            place += 1
    return CsvText(text, separator, tuple(rows))


def _likely_separator(text: str, start: int) -> str:
    """Return what the first line has most of, beside what stands in quotes."""
    outside = "".join(text[start:].split('"')[::2]).partition("\n")[0]
    return max(SEPARATORS.values(), key=outside.count)


def _cell(text: str, start: int, separator: str, name: str) -> tuple[Cell, int]:
    """Return the cell that begins there, and where it ends."""
    if text[start] != '"':
        end = start
        while end < len(text) and text[end] not in (separator, "\r", "\n"):
            end += 1
        return Cell(text[start:end], start, end, is_quoted=False), end
    end = start + 1
    while True:
        end = text.find('"', end)
        if end < 0:
            line = text.count("\n", 0, start) + 1
            raise ClassError(f"{name} is no CSV file: the quote in line {line} is not closed.")
        if text[end + 1 : end + 2] != '"':
            break
        end += 2
    after = text[end + 1 : end + 2]
    if after and after not in (separator, "\r", "\n"):
        line = text.count("\n", 0, end) + 1
        raise ClassError(f"{name} is no CSV file: text follows a closed quote in line {line}.")
    value = text[start + 1 : end].replace('""', '"')
    return Cell(value, start, end + 1, is_quoted=True), end + 1
