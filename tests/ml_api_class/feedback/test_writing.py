"""Feedback: each student gets their own, where the platform takes it back, or under a pseudonym."""

from __future__ import annotations

import csv
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ml_api_class.errors import ClassError
from ml_api_class.feedback import writing
from ml_api_class.grading.unit import Answer
from ml_api_class.journal.journal import Journal
from ml_api_class.journal.records import Person
from ml_api_class.supervisor import Supervisor
from ml_api_lab.course.place import Place, find
from tests.ml_api_class.toy_class import TASKS, InstantEngine, origin, put, verdict
from tests.support.toy import Course

ORIGINS = {task: origin(task) for task in TASKS}
MOODLE = {"ada": "Ada L_1_assignsubmission_file_", "both": "Bob_2_assignsubmission_file_"}
CANVAS = {"ada": "lada_11_901", "both": "bob_LATE_12_902"}


@pytest.fixture
def place(course: Course) -> Place:
    return find(course.root)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    (tmp_path / "run").mkdir()
    with Journal(tmp_path / "run", can_create=True) as journal:
        yield journal


def graded(journal: Journal, folders: dict[str, str]) -> None:
    people = {
        "ada": Person("Ada <b>Lovelace</b>", folder=folders.get("ada", "")),
        "both": Person("Bob, Cy", members=("bob", "cy"), folder=folders.get("both", "")),
    }
    for id_, person in people.items():
        put(journal, id_, {"task_0_1": id_, "task_0_2": id_}, person)
    engine = InstantEngine(lambda unit: Answer((verdict("task_0_1", 10), verdict("task_0_2", 4))))
    Supervisor(journal, engine, ORIGINS).run()


def files(folder: Path) -> list[str]:
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )


def test_plain_files_one_for_each_member_of_a_group(
    journal: Journal, place: Place, tmp_path: Path
) -> None:
    graded(journal, {})
    written = writing.write(journal, place, tmp_path / "out", formats=("md", "html"))
    assert files(tmp_path / "out") == [
        f"{name}.{ending}" for name in ("ada", "bob", "cy") for ending in ("html", "md")
    ]
    assert (written.files, written.layout, written.archive) == (6, "plain", None)
    text = (tmp_path / "out" / "ada.md").read_text(encoding="utf-8")
    assert "**14 of 20 points.**" in text


@pytest.mark.parametrize(
    ("folders", "layout", "names"),
    [
        (
            MOODLE,
            "moodle",
            [
                "Ada L_1_assignsubmission_file_/feedback.html",
                "Bob_2_assignsubmission_file_/feedback.html",
            ],
        ),
        (CANVAS, "canvas", ["bob_LATE_12_902_feedback.html", "lada_11_901_feedback.html"]),
    ],
)
def test_a_platforms_layout_is_known_from_what_came_from_there(
    journal: Journal,
    place: Place,
    tmp_path: Path,
    folders: dict[str, str],
    layout: str,
    names: list[str],
) -> None:
    graded(journal, folders)
    written = writing.write(journal, place, tmp_path / "out")
    assert (written.layout, written.left_out) == (layout, ())
    assert written.archive is not None
    with zipfile.ZipFile(written.archive) as archive:
        assert sorted(archive.namelist()) == names
    assert files(tmp_path / "out") == sorted([*names, "feedback.zip"])


def test_without_names_nothing_says_who_it_is(
    journal: Journal, place: Place, tmp_path: Path
) -> None:
    graded(journal, MOODLE)
    writing.write(journal, place, tmp_path / "out", formats=("md", "html"), anonymous=True)
    names = files(tmp_path / "out")
    assert len(names) == 4
    for name in names:
        text = (tmp_path / "out" / name).read_text(encoding="utf-8")
        assert not any(word in f"{name} {text}" for word in ("ada", "Ada", "Bob", "both", "Cy"))
    with (tmp_path / "run" / "pseudonyms.csv").open(encoding="utf-8") as file:
        ids = {row["pseudonym"]: row["id"] for row in csv.DictReader(file)}
    assert sorted(ids.values()) == ["ada", "both"]
    assert {name.partition(".")[0] for name in names} == set(ids)
    writing.write(journal, place, tmp_path / "again", anonymous=True)
    assert set(files(tmp_path / "again")) < set(names)
    with pytest.raises(ClassError, match="The layout moodle names students"):
        writing.write(journal, place, tmp_path / "out", layout="moodle", anonymous=True)


def test_some_students_only(journal: Journal, place: Place, tmp_path: Path) -> None:
    graded(journal, {})
    writing.write(journal, place, tmp_path / "out", only=("ada",))
    assert files(tmp_path / "out") == ["ada.html"]
    with pytest.raises(ClassError, match="has no submission 'dan'"):
        writing.write(journal, place, tmp_path / "out", only=("dan",))


def test_what_the_platform_cannot_take_back_is_told(
    journal: Journal, place: Place, tmp_path: Path
) -> None:
    graded(journal, {"ada": MOODLE["ada"]})
    written = writing.write(journal, place, tmp_path / "out", layout="moodle")
    assert (written.files, written.left_out) == (1, ("both",))


@pytest.mark.skipif(os.name == "nt", reason="Windows knows no such names")
def test_two_ids_that_would_share_a_file_are_refused(
    journal: Journal, place: Place, tmp_path: Path
) -> None:
    for id_ in ("a/b", "a b"):
        put(journal, id_, {"task_0_1": id_})
        journal.put_failure(id_, "key", "No.", can_retry=False)
    with pytest.raises(ClassError, match=r"give the file a_b\.html"):
        writing.write(journal, place, tmp_path / "out")
    assert not (tmp_path / "out").exists()
