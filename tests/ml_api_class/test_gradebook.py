"""The table of grades: whole, and with nothing that a spreadsheet would run."""

from __future__ import annotations

import csv
from pathlib import Path

from ml_api_class.gradebook import write_csv
from ml_api_class.journal.records import Person, Standing, State, Submission
from tests.ml_api_class.toy_class import verdict


def test_a_line_for_each_submission(tmp_path: Path) -> None:
    ada = Submission("ada", Person("=cmd()", "a@x.org", "A", is_late=True), {})
    both = Submission("b+c", Person("B, C", members=("b", "c"), is_late=False), {})
    path = write_csv(
        tmp_path,
        [
            Standing(ada, State.GRADED, "", (verdict("task_0_1", 10), verdict("task_0_2", 4))),
            Standing(both, State.NOT_GRADED, "It took more than 9 s."),
        ],
    )
    with path.open(encoding="utf-8", newline="") as file:
        first, second = csv.DictReader(file)
    assert (first["name"], first["late"], first["score"], first["maximum"]) == (
        "'=cmd()",
        "late",
        "14",
        "20",
    )
    assert (first["task_0_1"], first["task_0_2"]) == ("10", "4")
    assert (second["members"], second["state"], second["reason"], second["score"]) == (
        "b c",
        "not graded",
        "It took more than 9 s.",
        "",
    )
    assert [each.name for each in tmp_path.iterdir()] == ["grades.csv"]
