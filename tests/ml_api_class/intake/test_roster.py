"""The roster: whose a submission is, and nobody's where that is not certain."""

from __future__ import annotations

from pathlib import Path

import pytest

from ml_api_class.errors import ClassError
from ml_api_class.intake import roster
from ml_api_class.intake.found import Found
from ml_api_class.intake.roster import Roster, Student

STUDENTS = (
    Student("s1", "Jané van Doe", "jane@x.org", "A", platform_id="4711"),
    Student("s2", "Bob Hope", "bob@x.org", "B", "team-1"),
    Student("s3", "Cy Young", "cy@x.org", "B", "team-1"),
    Student("s4", "Sam Same", "sam@x.org"),
    Student("s5", "Sam Same", "sam@y.org"),
)


def matched(**given: object) -> list[str]:
    found = Found("label", (), **given)  # type: ignore[arg-type]  # the test says what
    return [each.id for each in Roster(STUDENTS).match(found)]


@pytest.mark.parametrize(
    ("given", "ids"),
    [
        ({"ids": ("S1",)}, ["s1"]),
        ({"ids": ("4711",)}, ["s1"]),
        ({"ids": ("nobody",), "emails": ("JANE@x.org",)}, ["s1"]),
        ({"ids": ("jane",)}, ["s1"]),
        ({"names": ("van Doe, Jane",)}, ["s1"]),
        ({"names": ("vandoejane",)}, ["s1"]),
        ({"names": ("hopebob",)}, ["s2"]),
        ({"names": ("Sam Same",)}, []),
        ({"names": ("Sam Same",), "emails": ("sam@y.org",)}, ["s5"]),
        ({"ids": ("sam",)}, []),
        ({"names": ("Jane",)}, []),
        ({"ids": ("Team 1",)}, ["s2", "s3"]),
        ({"is_group": True, "emails": ("bob@x.org", "jane@x.org")}, ["s2", "s1"]),
        ({"is_group": True, "ids": ("s3",), "emails": ("bob@x.org", "cy@x.org")}, ["s3", "s2"]),
        ({}, []),
    ],
)
def test_whose_it_is(given: dict[str, object], ids: list[str]) -> None:
    assert matched(**given) == ids


def test_a_file_with_other_names_of_columns(tmp_path: Path) -> None:
    path = tmp_path / "roster.csv"
    path.write_text(
        "Student;SIS User ID;Email Address;Sections\nAda;s1;a@x.org;A\n;;;\n", encoding="utf-8"
    )
    assert roster.read(path).students == [Student("s1", "Ada", "a@x.org", "A")]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "lists nobody"),
        ("name,mail\nAda,a@x.org\n", "has no column id; it has name, mail"),
        ("id\ns1\nS1\n", "lists the id 'S1' twice"),
        ('id,name\n"s1,x\n', "is no CSV file"),
    ],
)
def test_a_file_that_is_no_roster(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "roster.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ClassError, match=says):
        roster.read(path)
    with pytest.raises(ClassError, match="save it as CSV in UTF-8"):
        roster.read(tmp_path / "nowhere.csv")
