"""The intake: attempts, groups, who is late, who is missing, and nothing read twice."""

from __future__ import annotations

import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ml_api_class.errors import ClassError
from ml_api_class.intake import intake, reading
from ml_api_class.intake.roster import Roster, Student
from ml_api_class.journal.journal import Journal
from tests.ml_api_class.toy_class import TASKS, ToyClass

ROSTER = Roster(
    [Student("s1", "Ada Lovelace"), Student("s2", "Bob", group="red"), Student("s3", group="red")]
)


def test_the_last_attempt_counts_and_the_missing_are_named(toy_class: ToyClass) -> None:
    toy_class.hand_in("s1_attempt_1", task_0_1="old")
    toy_class.hand_in("s1_attempt_10", task_0_1="new")
    toy_class.hand_in("s1_attempt_9", task_0_1="old")
    toy_class.hand_in("red", task_0_1="both")
    toy_class.hand_in("guest", task_0_1="x")
    found = {each.id: each for each in intake.plan(toy_class.submissions, ROSTER, None)}
    assert list(found) == ["guest", "s1", "s2+s3"]
    ada, both, guest = found["s1"], found["s2+s3"], found["guest"]
    assert ada.found is not None
    assert (ada.found.sources[0].name, ada.earlier) == ("s1_attempt_10", 2)
    assert (ada.person.attempts, both.person.attempts) == (10, 0)
    assert both.person.members == ("s2", "s3")
    assert (ada.person.is_listed, guest.person.is_listed) == (True, False)
    (toy_class.submissions / "red").rename(toy_class.submissions / "s2")
    found = {each.id: each for each in intake.plan(toy_class.submissions, ROSTER, None)}
    assert [id_ for id_, each in found.items() if each.found is None] == ["s3"]


@pytest.mark.parametrize(
    ("submitted", "is_late"),
    [
        ("2026-11-30T18:00:00+01:00", False),
        ("2026-11-30 17:00:01 Z", True),
        ("2026-11-30 17:00:01 UTC", True),
        ("2026-11-30 17:00:00.000 Z", False),
        ("yesterday", None),
        ("", None),
    ],
)
def test_late_is_what_came_after_the_due_date(
    tmp_path: Path, submitted: str, is_late: bool | None
) -> None:
    (tmp_path / "list.csv").write_text(f"path,submitted\na,{submitted}\n", encoding="utf-8")
    due = datetime(2026, 11, 30, 17, tzinfo=UTC)
    (matched,) = intake.plan(tmp_path / "list.csv", None, due)
    assert matched.person.is_late is is_late


def test_what_has_not_changed_is_not_read_again(
    toy_class: ToyClass, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for student in ("ada", "bob"):
        toy_class.hand_in(student, task_0_1=f"by {student}")
    read: list[str] = []
    original = reading.read

    def counted(sources: tuple[Path, ...], *rest: object) -> reading.Contents:
        read.append(sources[0].name)
        return original(sources, *rest)  # type: ignore[arg-type]  # as it was called

    monkeypatch.setattr(reading, "read", counted)
    with Journal(tmp_path, can_create=True) as journal:

        def take_in() -> list[str]:
            read.clear()
            matched = intake.plan(toy_class.submissions, None, None)
            intake.take_in(journal, matched, list(TASKS), TASKS)
            return read

        assert take_in() == ["ada", "bob"]
        before = journal.submissions()
        assert take_in() == []
        assert journal.submissions() == before
        toy_class.hand_in("bob", task_0_1="something else")
        assert take_in() == ["bob"]
        toy_class.hand_in("bob", task_0_1="by bob")
        take_in()
        assert [each.files for each in journal.submissions()] == [each.files for each in before]


def test_one_that_cannot_be_read_stops_no_other(toy_class: ToyClass, tmp_path: Path) -> None:
    toy_class.hand_in("ada", task_0_1="x")
    (toy_class.submissions / "bob.zip").write_bytes(b"no")
    with Journal(tmp_path, can_create=True) as journal:
        matched = intake.plan(toy_class.submissions, ROSTER, None)
        intake.take_in(journal, matched, list(TASKS), TASKS)
        problems = {each.id: each.problem for each in journal.submissions()}
    assert problems == {
        "ada": "",
        "s2": "bob.zip is damaged (File is not a zip file).",
        "s1": intake.NOTHING,
        "s3": intake.NOTHING,
    }


def test_a_platforms_archive_is_read_as_its_folder(toy_class: ToyClass, tmp_path: Path) -> None:
    folder = toy_class.hand_in("Ada Lovelace_7_assignsubmission_file_", task_0_1="x")
    with zipfile.ZipFile(tmp_path / "download.zip", "w") as archive:
        archive.write(folder / "task_0_1" / "main.py", f"{folder.name}/task_0_1/main.py")
        archive.write(folder / "task_0_1" / "main.py", "Bob_8_assignsubmission_file_/x/main.py")
    with intake.opened(tmp_path / "download.zip") as opened:
        ids = [each.id for each in intake.plan(opened, ROSTER, None) if each.found is not None]
    assert ids == ["s1", "s2"]
    assert not opened.exists()
    (tmp_path / "broken.zip").write_bytes(b"no")
    with (
        pytest.raises(ClassError, match=r"broken\.zip is damaged"),
        intake.opened(tmp_path / "broken.zip"),
    ):
        raise AssertionError("it was opened")
