"""The table of grades: a line a submission, as CSV."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from ml_api_class.journal.records import Standing, State

FILE = "grades.csv"
_COLUMNS = (
    "id", "name", "email", "section", "members", "state", "reason", "late", "submitted", "score",
    "maximum",
)  # fmt: skip
_SCALED = "scaled"
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_LATE = {True: "late", False: "in time", None: ""}


def write_csv(folder: Path, standings: Sequence[Standing]) -> Path:
    """Write the table into a folder, whole or not at all; return its path."""
    return write_table(folder / FILE, standings)


def write_table(
    path: Path,
    standings: Sequence[Standing],
    *,
    separator: str = ",",
    decimal: str = ".",
    out_of: Fraction | None = None,
) -> Path:
    """Write the table to a file, whole or not at all; return its path.

    Args:
        separator: between cells.
        decimal: what stands before decimals.
        out_of: for a column more, with the points scaled to so many.
    """
    tasks = sorted({each.task for standing in standings for each in standing.verdicts})
    scaled = [] if out_of is None else [_SCALED]
    draft = path.with_name(f".{path.name}.new")
    with draft.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, delimiter=separator)
        table.writerow([*_COLUMNS, *scaled, *tasks])
        for each in standings:
            person = each.submission.person
            points = {verdict.task: verdict.score for verdict in each.verdicts}
            is_graded = each.state == State.GRADED
            texts = (each.submission.id, person.name, person.email, person.section)
            row: list[object] = [neutralised(text) for text in texts]
            row += [neutralised(" ".join(person.members)), each.state, neutralised(each.reason)]
            row += [_LATE[person.is_late], neutralised(person.submitted)]
            row += [each.score, each.maximum] if is_graded else ["", ""]
            if out_of is not None:
                row.append(number_text(scaled_points(each, out_of), decimal) if is_graded else "")
            table.writerow(row + [points.get(task, "") for task in tasks])
    os.replace(draft, path)
    return path


def scaled_points(standing: Standing, out_of: Fraction) -> Fraction:
    """Return the points of a graded submission where so many are all of them."""
    return Fraction(standing.score, standing.maximum) * out_of if standing.maximum else Fraction(0)


def number_text(number: Fraction, decimal: str) -> str:
    """Return a number with at most two decimals, and no more of them than it needs."""
    hundredths = int(number * 100 + Fraction(1, 2))
    whole, rest = divmod(hundredths, 100)
    return f"{whole}{decimal}{rest:02}".rstrip("0") if rest else str(whole)


def neutralised(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text
