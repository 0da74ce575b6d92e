"""`lab class export`: a run's points, as a file of their own and in a platform's."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from ml_api_class.errors import ClassError
from ml_api_class.grading.unit import Answer
from ml_api_class.journal.journal import Journal
from ml_api_class.journal.records import Person
from ml_api_class.supervisor import Supervisor
from tests.ml_api_class.toy_class import TASKS, InstantEngine, ToyClass, origin, put, verdict


@pytest.fixture
def run(toy_class: ToyClass) -> Path:
    toy_class.out.mkdir()
    with Journal(toy_class.out, can_create=True) as journal:
        for id_, name in (("s1", "=Ada; L"), ("s2", "Bob")):
            put(journal, id_, dict.fromkeys(TASKS, id_), Person(name))
        engine = InstantEngine(lambda unit: Answer((verdict(TASKS[0], 10), verdict(TASKS[1], 5))))
        Supervisor(journal, engine, {task: origin(task) for task in TASKS}).run()
    return toy_class.out


def test_a_table_of_everything_as_other_countries_write_it(
    run: Path, toy_class: ToyClass, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "all.csv"
    done = toy_class.command(
        monkeypatch.chdir,
        *("export", str(run), "--to", str(path), "--separator", "semicolon"),
        *("--decimal", "comma", "--out-of", "2,5"),
    )
    assert done.exception is None, done.output
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    assert [row["name"] for row in rows] == ["'=Ada; L", "Bob"]
    shown = [(row["score"], row["maximum"], row["scaled"], row[TASKS[1]]) for row in rows]
    assert shown == [("15", "20", "1,88", "5")] * 2


def test_points_into_a_file_leave_that_file_alone(
    run: Path, toy_class: ToyClass, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "moodle.csv"
    path.write_bytes(b"ID number,Grade\r\ns1,\r\ns2,-\r\ns3,4\r\n")
    asked = ("export", str(run), "--into", str(path), "--column", "Grade")
    done = toy_class.command(monkeypatch.chdir, *asked)
    assert done.exception is None, done.output
    assert path.read_bytes() == b"ID number,Grade\r\ns1,\r\ns2,-\r\ns3,4\r\n"
    filled = tmp_path / "moodle-filled.csv"
    assert filled.read_bytes() == b"ID number,Grade\r\ns1,15\r\ns2,15\r\ns3,4\r\n"
    assert "2 cells are filled" in done.output
    assert "Their cells are as they were: s3." in done.output


def test_who_is_unknown_ends_it_before_anything_is_written(
    run: Path, toy_class: ToyClass, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "moodle.csv"
    path.write_bytes(b"ID number,Grade\r\ns1,\r\n")
    asked = ("export", str(run), "--into", str(path), "--column", "Grade")
    done = toy_class.command(monkeypatch.chdir, *asked)
    assert isinstance(done.exception, ClassError)
    assert "Not in the file: s2." in str(done.exception)
    assert [each.name for each in tmp_path.glob("*.csv")] == ["moodle.csv"]


@pytest.mark.parametrize(
    "asked", [("--into", __file__), ("--column", "Grade"), ("--for", "dolos"), ("--tasks", "0.1")]
)
def test_half_a_command_is_refused(
    asked: tuple[str, ...],
    run: Path,
    toy_class: ToyClass,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    done = toy_class.command(monkeypatch.chdir, "export", str(run), *asked)
    assert isinstance(done.exception, ClassError)
    assert "go together" in str(done.exception)
