"""Points into recorded exports of three platforms: only the cells of one column change."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from ml_api_class.errors import ClassError
from ml_api_class.export.csv_text import CsvText, decode, read
from ml_api_class.export.gradebook_file import fill
from ml_api_class.journal.records import Person, Standing, State, Submission
from ml_api_class.verdict import CheckVerdict, TaskVerdict

RECORDED = Path(__file__).parent / "recorded"
COLUMNS = {
    "canvas.csv": "Lab 1",
    "moodle_gradebook.csv": "Assignment: Lab 1 (Real)",
    "moodle_worksheet.csv": "Grade",
    "gradescope.csv": "Lab 1",
}


def recorded(name: str) -> CsvText:
    return read(decode((RECORDED / name).read_bytes(), name), name)


def graded(id_: str, points: int, person: Person | None = None) -> Standing:
    check = CheckVerdict("c", "C.", passed=points == 200, points=points, maximum=200)
    verdict = TaskVerdict("task_0_1", (check,))
    submission = Submission(id_, person or Person(), {})
    return Standing(submission, State.GRADED, verdicts=(verdict,))


def by_id() -> list[Standing]:
    return [graded("s1001", 150), graded("S1002", 0), graded("s1003", 200)]


def by_email() -> list[Standing]:
    emails = {"one": "ada@example.org", "two": "BOB@example.org", "three": "noa@example.org"}
    return [
        graded(id_, points, Person(email=emails[id_]))
        for id_, points in (("one", 150), ("two", 0), ("three", 200))
    ]


def by_name() -> list[Standing]:
    names = {
        "a": "Ada Lovelace",
        "b": 'Bo "Bob" O\'Neil',
        "c": "\u05e0\u05d5\u05e2\u05d4 \u05db\u05d4\u05df",
    }
    return [
        graded(f"{id_}?", points, Person(names[id_]))
        for id_, points in (("a", 150), ("b", 0), ("c", 200))
    ]


def by_number() -> list[Standing]:
    folders = (
        "Ada_11_assignsubmission_file_",
        "Bo_12_assignsubmission_file_",
        "N_13_assignsubmission_file_",
    )
    return [
        graded(f"{folder}?", points, Person(folder=folder))
        for folder, points in zip(folders, (150, 0, 200), strict=True)
    ]


@pytest.mark.parametrize(
    ("name", "standings"),
    [
        *((name, by_id()) for name in COLUMNS if name != "moodle_worksheet.csv"),
        *((name, by_email()) for name in COLUMNS if name != "canvas.csv"),
        *((name, by_name()) for name in COLUMNS if name != "canvas.csv"),
        ("moodle_worksheet.csv", by_number()),
    ],
)
def test_only_the_cells_of_one_column_change(name: str, standings: list[Standing]) -> None:
    table = recorded(name)
    filled = fill(table, standings, COLUMNS[name])
    after = read(filled.text, name)
    place = [cell.value for cell in table.rows[0]].index(
        next(c.value for c in table.rows[0] if c.value.startswith(COLUMNS[name]))
    )
    changed = {
        (number, column): (old.value, new.value)
        for number, (before, now) in enumerate(zip(table.rows, after.rows, strict=True))
        for column, (old, new) in enumerate(zip(before, now, strict=True))
        if old.value != new.value
    }
    assert {column for _, column in changed} == {place}
    assert [new for _, new in changed.values()] == ["150", "0", "200"]
    assert filled.filled == 3
    # Put back what was there: not a byte is another one.
    back = {after.rows[n][c]: old for (n, c), (old, _) in changed.items()}
    assert after.replaced(back).encode() == (RECORDED / name).read_bytes()


def test_canvas_users_are_known_by_the_numbers_of_their_files() -> None:
    folders = ("lovelaceada_4711_1", "oneilbo_LATE_4712_2")
    standings = [graded(f"{f}?", 20, Person(folder=f)) for f in folders]
    filled = fill(recorded("canvas.csv"), standings, "Lab 1 (9002)")
    assert '"Lovelace, Ada",4711,s1001,ada,Lab A and Lecture,4.00,20,80.00,40.00\n' in filled.text
    assert '"Lab B, late group",,20,,\n' in filled.text
    assert filled.without_submission[1:] == ("\U0001f409 Drake, Dee", "Student, Test")


def test_points_are_scaled_and_written_as_the_file_writes_them() -> None:
    table = recorded("moodle_gradebook.csv")
    standings = [graded("s1001", 150), graded("s1003", 1)]
    filled = fill(
        table, standings, COLUMNS["moodle_gradebook.csv"], out_of=Fraction(10), decimal=","
    )
    assert "ada@example.org;7,5;80,00" in filled.text
    assert 'noa@example.org;"0,05";-' in filled.text


def test_all_members_of_a_group_get_its_points() -> None:
    group = graded("s1001+s1002", 60, Person("Ada, Bo", members=("s1001", "s1002")))
    assert fill(recorded("gradescope.csv"), [group], "Lab 1").text.count(",60,200.0,") == 2


def test_who_is_not_in_the_file_is_named_and_nothing_is_written() -> None:
    standings = [*by_id(), graded("s9", 10), graded("s8", 10)]
    with pytest.raises(ClassError, match=r"Nothing was written. Not in the file: s9, s8\."):
        fill(recorded("canvas.csv"), standings, "Lab 1")
    assert fill(recorded("canvas.csv"), standings, "Lab 1", left_out=["s9", "s8"]).filled == 3
    with pytest.raises(ClassError, match="no submission 's7' to leave out"):
        fill(recorded("canvas.csv"), standings, "Lab 1", left_out=["s7"])


@pytest.mark.parametrize(
    ("standings", "told"),
    [
        ([graded("x", 1, Person("Ada Lovelace")), graded("s1001", 2)], "Row 2 could be x or s1001"),
        (
            [graded("s1001", 1, Person(email="bob@example.org"))],
            "s1001 could be any of the rows 2, 3",
        ),
    ],
)
def test_who_could_be_several_is_named(standings: list[Standing], told: str) -> None:
    with pytest.raises(ClassError, match=told):
        fill(recorded("gradescope.csv"), standings, "Lab 1")


def test_two_of_one_name_are_told_apart_by_nothing_else() -> None:
    text = 'Full name,Grade\nAda Lovelace,\n"Lovelace, Ada",\n'
    with pytest.raises(ClassError, match="ada could be any of the rows 2, 3"):
        fill(read(text, "x.csv"), [graded("ada", 1, Person("Ada Lovelace"))], "Grade")


@pytest.mark.parametrize(
    ("column", "told"),
    [
        ("Lab 2", "no column 'Lab 2'; its columns are 'Warm-up \\(9001\\)', 'Lab 1 \\(9002\\)'"),
        ("SIS User ID", "says who somebody is"),
    ],
)
def test_a_column_that_is_not_meant_is_refused(column: str, told: str) -> None:
    with pytest.raises(ClassError, match=told):
        fill(recorded("canvas.csv"), by_id(), column)


@pytest.mark.parametrize("name", ["canvas.csv", "moodle_worksheet.csv", "gradescope.csv"])
def test_another_maximum_is_refused(name: str) -> None:
    standings = by_email() if name == "moodle_worksheet.csv" else by_id()
    with pytest.raises(ClassError, match=r"says 200.* points at most, and the run has 10"):
        fill(recorded(name), standings, COLUMNS[name], out_of=Fraction(10))


def test_what_is_not_graded_leaves_its_cell_as_it_was() -> None:
    waiting = Standing(Submission("s1004", Person(), {}), State.NOT_GRADED, "It took too long.")
    filled = fill(recorded("gradescope.csv"), [*by_id(), waiting], "Lab 1")
    assert "B,3.0,200.0" in filled.text
    assert filled.without_submission == ("Dee Drake \U0001f409",)
