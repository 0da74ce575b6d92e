"""Who is who: which submission of a run a row of a platform's file is about.

What identifies somebody, the surest first: an id, the platform's own number (which its downloads
carry in the names of files), an e-mail address, a name. Only a kind that nobody shares counts.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ml_api_class.journal.records import Standing

KINDS = ("id", "number", "email", "name")

_MOODLE_NUMBER = re.compile(r"_(\d+)_assignsubmission_")
_CANVAS_NUMBER = re.compile(r"(?:_LATE)?_(\d+)_\d+$")

Words = Mapping[str, frozenset[str]]
"""What identifies somebody, by kind."""


@dataclass(frozen=True)
class Matches:
    """Which rows are whose.

    Attributes:
        rows: the submission of each row, by the row's number.
        unknown: the ids of those whose row is not there.
        ambiguous: sentences about those who could be several.
    """

    rows: dict[int, Standing]
    unknown: tuple[str, ...]
    ambiguous: tuple[str, ...]


def match(standings: Sequence[Standing], rows: Mapping[int, Words]) -> Matches:
    """Match submissions with rows.

    Args:
        rows: what identifies the person of each row.
    """
    index: dict[tuple[str, str], set[int]] = {}
    for number, words in rows.items():
        for kind, known in words.items():
            for word in known:
                index.setdefault((kind, word), set()).add(number)
    found: dict[int, Standing] = {}
    unknown, ambiguous = [], []
    for standing in standings:
        for id_, words in people_of(standing):
            numbers = _rows_of(words, index)
            if not numbers:
                unknown.append(id_)
            elif len(numbers) > 1:
                lines = ", ".join(str(each + 1) for each in sorted(numbers))
                ambiguous.append(f"{id_} could be any of the rows {lines}.")
            else:
                (number,) = numbers
                if number in found:
                    other = found[number].submission.id
                    ambiguous.append(f"Row {number + 1} could be {other} or {id_}.")
                found[number] = standing
    return Matches(found, tuple(unknown), tuple(ambiguous))


def _rows_of(words: Words, index: Mapping[tuple[str, str], set[int]]) -> set[int]:
    """Return the rows of one person: by the surest kind that any row has.

    Where a less sure kind says another row, it is no longer certain whose it is: both are returned.
    """
    rows: set[int] = set()
    for kind in KINDS:
        said: set[int] = set()
        for word in words.get(kind, ()):
            said |= index.get((kind, word), set())
        if not rows:
            rows = said
        elif said and not said & rows:
            rows = rows | said
    return rows


def people_of(standing: Standing) -> list[tuple[str, Words]]:
    """Return the people of a submission: the id of each, and what identifies them."""
    submission, person = standing.submission, standing.submission.person
    if not person.members:
        names = {plain(person.name)} - {""}
        return [
            (
                submission.id,
                {
                    "id": frozenset({plain(submission.id)} - {""}),
                    "number": frozenset(_numbers(person.folder)),
                    "email": emails([person.email]),
                    "name": frozenset(names),
                },
            )
        ]
    # The names and addresses of a group are in the order of the roster, its ids in their own.
    return [(id_, {"id": frozenset({plain(id_)})}) for id_ in person.members]


def _numbers(folder: str) -> set[str]:
    found = _MOODLE_NUMBER.search(folder) or _CANVAS_NUMBER.search(folder)
    return {found[1]} if found else set()


def emails(written: Iterable[str]) -> frozenset[str]:
    """Return e-mail addresses as they are compared."""
    return frozenset(each.strip().casefold() for each in written if "@" in each)


def plain(word: str) -> str:
    """Return an id or a name as it is compared: without accents, case, spaces, and order of words.

    "Lovelace, Ada" and "ada lovelace" are the same.
    """
    bare = unicodedata.normalize("NFKD", word.casefold())
    bare = "".join(each for each in bare if not unicodedata.combining(each))
    parts = re.findall(r"[^\s,]+", bare)
    return " ".join(sorted(parts))
