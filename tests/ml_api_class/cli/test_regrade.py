"""From a run to feedback as an instructor goes: verify, regrade, apply, discard, merge."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from ml_api_class.cli.command import command
from tests.ml_api_class.toy_class import ToyClass
from tests.support.toy_tasks import RIGHT, WRONG, two_tasks

OPTIONS = ("--isolation", "none", "--workers", "1")


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ToyClass:
    """A class of a course of its own, whose checks a test may change; we are in the course."""
    toy_class = ToyClass(two_tasks(tmp_path / "course").root, tmp_path)
    toy_class.hand_in("ada", task_0_1=RIGHT, task_0_2=RIGHT)
    toy_class.hand_in("bob", task_0_1=RIGHT, task_0_2=WRONG)
    monkeypatch.chdir(toy_class.course)
    return toy_class


def lab_class(*args: object) -> str:
    done = CliRunner().invoke(command, list(map(str, args)), standalone_mode=False)
    if done.exception is not None:
        raise done.exception
    return done.output


def test_a_changed_check_is_regraded_applied_and_told_to_students(
    own: ToyClass, tmp_path: Path
) -> None:
    run, again = own.out, tmp_path / "again"
    lab_class("grade", own.submissions, "--out", run, "--seed", 1, *OPTIONS)
    assert "2 graded again, 0 with other results." in lab_class(
        "verify", run, "--share", "100%", *OPTIONS
    )
    check = own.course / "checks" / "task_0_2" / "test_toy.py"
    text = check.read_text(encoding="utf-8")
    check.write_text(text.replace('== "hello"', '== "bye"'), encoding="utf-8")
    told = lab_class("regrade", run, "--out", again, *OPTIONS)
    assert "  -4  ada\n  +4  bob\n1 go up, 1 go down, 0 change and keep their points." in told
    page = (again / "changes.md").read_text(encoding="utf-8")
    assert "It printed 'hello'; 'hello' is right." in page
    assert "Applied." in lab_class("apply", again)
    table = (run / "grades.csv").read_text(encoding="utf-8")
    assert "ada,ada,,,,graded,,,,16,20,10,6" in table
    told = lab_class("feedback", run, "--format", "md", "--only", "ada")
    assert "1 files in" in told
    assert "**16 of 20 points.**" in (run / "feedback" / "ada.md").read_text(encoding="utf-8")


def test_a_regrade_that_changes_nothing_is_discarded(own: ToyClass, tmp_path: Path) -> None:
    lab_class("grade", own.submissions, "--out", own.out, "--tasks", "0.1", *OPTIONS)
    told = lab_class("regrade", own.out, "--out", tmp_path / "again", *OPTIONS)
    assert "0 go up, 0 go down, 0 change and keep their points." in told
    lab_class("discard", tmp_path / "again")
    assert not (tmp_path / "again").exists()


def test_shards_make_one_run(own: ToyClass, tmp_path: Path) -> None:
    whole = ("grade", own.submissions, "--seed", 1, "--tasks", "0.1", *OPTIONS)
    parts = []
    for index in (1, 2, 3):
        parts.append(tmp_path / f"part{index}")
        lab_class(*whole, "--out", parts[-1], "--shard", f"{index}/3")
    lab_class(*whole, "--out", own.out)
    told = lab_class("merge", *parts, "--out", tmp_path / "merged")
    assert "2 submissions of 3 runs." in told
    one, other = (each / "grades.csv" for each in (own.out, tmp_path / "merged"))
    assert one.read_text(encoding="utf-8") == other.read_text(encoding="utf-8")
