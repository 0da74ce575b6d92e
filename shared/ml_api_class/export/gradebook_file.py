"""Points into the file that a platform itself has exported, so that it takes the file back.

What the files look like, as the platforms write them:

- Canvas, the gradebook's export: a row of names (Student, ID, SIS User ID, SIS Login ID, Section,
  then a column an assignment, `Lab 1 (4711)`), then a row that begins with "Points Possible".
- Moodle, the gradebook's export as a text file: First name, Last name (Surname), ID number, Email
  address, then columns like `Assignment: Lab 1 (Real)`. And an assignment's grading worksheet:
  Identifier (`Participant 4711`), Full name, Email address, Status, Grade, Maximum Grade.
- Gradescope: First Name, Last Name, SID, Email, then for each assignment its name, `... - Max
  Points`, `... - Submission Time` and `... - Lateness (H:M:S)`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from ml_api_class.errors import ClassError
from ml_api_class.export.csv_text import Cell, CsvText
from ml_api_class.export.people import Words, emails, match, plain
from ml_api_class.gradebook import number_text, scaled_points
from ml_api_class.journal.records import Standing, State

_IDS = ("id", "sis user id", "sis login id", "integration id", "id number", "sid", "username")
_IDENTIFIERS = ("identifier",)
_EMAILS = ("email", "email address", "e-mail")
_NAMES = ("student", "full name", "name")
_FIRST_NAMES = ("first name",)
_LAST_NAMES = ("last name", "surname")
_ABOUT_PEOPLE = {*_IDS, *_IDENTIFIERS, *_EMAILS, *_NAMES, *_FIRST_NAMES, *_LAST_NAMES, "section"}
_POINTS_POSSIBLE = "points possible"
_MAXIMUM_OF_WORKSHEET = "maximum grade"
_CANVAS_SUFFIX = re.compile(r"\s*\(\d+\)$")
_PARTICIPANT = re.compile(r"(?:.*\D)?(\d+)$")
_MAX_TOLD = 20


@dataclass(frozen=True)
class Filled:
    """A file with points in it.

    Attributes:
        filled: how many cells were filled.
        without_submission: rows of people of whom the run has nothing graded, by their names;
            their cells are as they were.
    """

    text: str
    filled: int
    without_submission: tuple[str, ...]


def fill(
    table: CsvText,
    standings: Sequence[Standing],
    column: str,
    *,
    out_of: Fraction | None = None,
    decimal: str = ".",
    left_out: Sequence[str] = (),
) -> Filled:
    """Fill one column with the points of a run; nothing else of the file changes.

    Args:
        column: the name of the column; of Canvas's, the number behind it may be left out.
        out_of: scale the points to so many; by default, they stand as they are.
        decimal: what stands before the decimals.
        left_out: the ids of submissions that are not to be written.

    Raises:
        ClassError: there is no such column, somebody is not in the file or could be several, or
            the file says another maximum than the run and `out_of`.
    """
    if not table.rows:
        raise ClassError("The file is empty; export it from the platform anew.")
    head = [cell.value.strip() for cell in table.rows[0]]
    place = _column(head, column)
    people = {
        number: words
        for number, row in enumerate(table.rows)
        if number > 0 and (words := _words(head, row))
    }
    ids = {each.submission.id for each in standings}
    if missing := [each for each in left_out if each not in ids]:
        raise ClassError(f"The run has no submission {missing[0]!r} to leave out.")
    graded = [
        each
        for each in standings
        if each.state == State.GRADED and each.submission.id not in left_out
    ]
    matches = match(graded, people)
    if matches.unknown or matches.ambiguous:
        raise ClassError(_refusal(matches.unknown, matches.ambiguous))
    _require_maximum(table, head, place, people, graded, out_of, decimal)
    cells: dict[Cell, str] = {}
    for number, standing in matches.rows.items():
        row = table.rows[number]
        if place >= len(row):
            raise ClassError(f"Row {number + 1} has no cell {head[place]!r}; export the file anew.")
        points = Fraction(standing.score) if out_of is None else scaled_points(standing, out_of)
        cells[row[place]] = number_text(points, decimal)
    others = [number for number in people if number not in matches.rows]
    return Filled(
        table.replaced(cells), len(cells), tuple(_shown(head, table.rows[each]) for each in others)
    )


def _column(head: Sequence[str], column: str) -> int:
    """Return the place of the column of that name.

    Raises:
        ClassError: there is none, there are several, or it says who somebody is.
    """
    asked = column.strip().casefold()
    if asked in _ABOUT_PEOPLE:
        raise ClassError(f"The column {column!r} says who somebody is; name one for points.")
    exact = [n for n, name in enumerate(head) if name.casefold() == asked]
    found = exact or [
        n for n, name in enumerate(head) if _CANVAS_SUFFIX.sub("", name).casefold() == asked
    ]
    if len(found) == 1:
        return found[0]
    others = [name for name in head if name.casefold() not in _ABOUT_PEOPLE]
    what = "no column" if not found else "several columns"
    raise ClassError(
        f"The file has {what} {column!r}; its columns are {', '.join(map(repr, others))}."
    )


def _words(head: Sequence[str], row: Sequence[Cell]) -> Words:
    """Return what identifies the person of a row; nothing for a row that is about nobody."""
    values = [cell.value.strip() for cell in row]
    if values[0].casefold() == _POINTS_POSSIBLE:
        return {}
    named = {name.casefold(): value for name, value in zip(head, values, strict=False) if value}
    full = [named[each] for each in _NAMES if each in named]
    first = [named[each] for each in _FIRST_NAMES if each in named]
    last = [named[each] for each in _LAST_NAMES if each in named]
    if first or last:
        full.append(" ".join([*first, *last]))
    numbers = [named[each] for each in ("id", *_IDENTIFIERS) if each in named]
    found = {
        "id": {plain(named[each]) for each in _IDS if each in named},
        "number": {number[1] for each in numbers if (number := _PARTICIPANT.fullmatch(each))},
        "email": set(emails(named[each] for each in _EMAILS if each in named)),
        "name": {plain(each) for each in full},
    }
    return {kind: frozenset(words - {""}) for kind, words in found.items() if words - {""}}


def _refusal(unknown: Sequence[str], ambiguous: Sequence[str]) -> str:
    told = []
    if unknown:
        shown = ", ".join(unknown[:_MAX_TOLD])
        more = f" and {len(unknown) - _MAX_TOLD} more" if len(unknown) > _MAX_TOLD else ""
        told.append(
            f"Not in the file: {shown}{more}. Export the file anew, or write --leave-out ID for "
            "each of them."
        )
    told += ambiguous[:_MAX_TOLD]
    return " ".join(["Nothing was written.", *told])


def _require_maximum(
    table: CsvText,
    head: Sequence[str],
    place: int,
    people: Mapping[int, Words],
    graded: Sequence[Standing],
    out_of: Fraction | None,
    decimal: str,
) -> None:
    """Raise ClassError if the file says another maximum."""
    here = out_of if out_of is not None else Fraction(max((s.maximum for s in graded), default=0))
    names = [name.casefold() for name in head]
    beside = next(
        (
            names.index(each)
            for each in (f"{names[place]} - max points", _MAXIMUM_OF_WORKSHEET)
            if each in names
        ),
        None,
    )
    said = [
        row[place].value
        for row in table.rows[1:]
        if row[0].value.strip().casefold() == _POINTS_POSSIBLE and place < len(row)
    ]
    if beside is not None:
        said += [table.rows[n][beside].value for n in people if beside < len(table.rows[n])]
    for text in said:
        maximum = _number(text, decimal)
        if maximum is not None and graded and maximum != here:
            raise ClassError(
                f"Nothing was written. The file says {text.strip()} points at most, and the run "
                f"has {number_text(here, decimal)}; write --out-of {text.strip()} to scale them."
            )


def _number(text: str, decimal: str) -> Fraction | None:
    try:
        return Fraction(text.strip().replace(decimal, "."))
    except (ValueError, ZeroDivisionError):
        return None


def _shown(head: Sequence[str], row: Sequence[Cell]) -> str:
    """Return the name of a row's person, or whatever else it begins with."""
    named = {name.casefold(): cell.value.strip() for name, cell in zip(head, row, strict=False)}
    full = [named[each] for each in _NAMES if named.get(each)]
    parts = [named[each] for each in (*_FIRST_NAMES, *_LAST_NAMES) if named.get(each)]
    return (full or [" ".join(parts)])[0] or row[0].value
