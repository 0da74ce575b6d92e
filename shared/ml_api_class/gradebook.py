"""The table of grades: a line a submission, as CSV."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from pathlib import Path

from ml_api_class.journal.records import Standing, State

FILE = "grades.csv"
_COLUMNS = (
    "id", "name", "email", "section", "members", "state", "reason", "late", "submitted", "score",
    "maximum",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_LATE = {True: "late", False: "in time", None: ""}


def write_csv(folder: Path, standings: Sequence[Standing]) -> Path:
    """Write the table into a folder, whole or not at all; return its path."""
    tasks = sorted({each.task for standing in standings for each in standing.verdicts})
    path = folder / FILE
    draft = path.with_name(f".{FILE}.new")
    with draft.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow([*_COLUMNS, *tasks])
        for each in standings:
            person = each.submission.person
            points = {verdict.task: verdict.score for verdict in each.verdicts}
            is_graded = each.state == State.GRADED
            table.writerow(
                [_safe(text) for text in (each.submission.id, person.name, person.email)]
                + [_safe(person.section), " ".join(person.members), each.state]
                + [_safe(each.reason), _LATE[person.is_late], person.submitted]
                + ([each.score, each.maximum] if is_graded else ["", ""])
                + [points.get(task, "") for task in tasks]
            )
    os.replace(draft, path)
    return path


def _safe(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text
