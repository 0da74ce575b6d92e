"""`lab class grade` as an instructor runs it: real workers, kills, Ctrl-C, and going on."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ml_api_class.engines.process_tree import began, children
from ml_api_class.journal.journal import Journal
from ml_api_class.journal.records import State
from tests.ml_api_class.toy_class import ToyClass
from tests.support.toy import LIMIT, own_environment
from tests.support.toy_tasks import RIGHT, WRONG

posix = pytest.mark.skipif(os.name == "nt", reason="sends the signals of POSIX")

NEVER_ENDS = "while True:\n    pass\n"


def start(toy_class: ToyClass, *args: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "ml_api_lab.cli", "class", "grade"]
    command += [str(toy_class.submissions), "--out", str(toy_class.out), "--seed", "1"]
    command += ["--isolation", "none", *args]
    return subprocess.Popen(
        command,
        cwd=toy_class.course,
        env=own_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )


def grade(toy_class: ToyClass, *args: str, status: int = 0) -> str:
    process = start(toy_class, *args)
    text, _ = process.communicate(timeout=LIMIT)
    assert process.returncode == status, text
    return text


def rows(toy_class: ToyClass) -> dict[str, dict[str, str]]:
    with (toy_class.out / "grades.csv").open(encoding="utf-8", newline="") as file:
        return {row["id"]: row for row in csv.DictReader(file)}


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def still_there(processes: dict[int, str | None]) -> list[int]:
    return [pid for pid, began_at in processes.items() if began(pid) == began_at is not None]


def graded(toy_class: ToyClass) -> int:
    if not (toy_class.out / "journal.sqlite").exists():
        return 0
    with Journal(toy_class.out) as journal:
        return sum(each.state == State.GRADED for each in journal.standings())


def test_a_class_is_graded_then_nothing_then_what_changed(toy_class: ToyClass) -> None:
    toy_class.hand_in("ada", task_0_1=RIGHT, task_0_2=RIGHT)
    toy_class.hand_in("bob", task_0_1=RIGHT, task_0_2=WRONG)
    (toy_class.submissions / "cy").mkdir()
    text = grade(toy_class)
    assert "3 of 3 submissions were graded now." in text
    assert "No folder of a task was found in what was handed in by cy." in text
    assert "Isolation: none. Seed: 1." in text
    found = rows(toy_class)
    assert {id_: (row["state"], row["score"], row["maximum"]) for id_, row in found.items()} == {
        "ada": ("graded", "20", "20"),
        "bob": ("graded", "10", "20"),
        "cy": ("graded", "0", "20"),
    }
    assert "0 of 3 submissions were graded now." in grade(toy_class)
    toy_class.hand_in("bob", task_0_2=RIGHT)
    assert "1 of 3 submissions were graded now." in grade(toy_class)
    assert rows(toy_class)["bob"]["score"] == "20"


def test_a_run_keeps_its_options(toy_class: ToyClass) -> None:
    toy_class.hand_in("ada", task_0_1=RIGHT, task_0_2=RIGHT)
    listed = toy_class.submissions.parent / "roster.csv"
    listed.write_text("id,name\nada,Ada\nbob,Bob\n", encoding="utf-8")
    grade(toy_class, "--tasks", "0.1", "--roster", str(listed), "--due", "2020-01-01")

    def shown() -> dict[str, tuple[str, str]]:
        return {id_: (row["name"], row["maximum"]) for id_, row in rows(toy_class).items()}

    first = shown()
    assert first["ada"] == ("Ada", "10")
    assert first["bob"][0] == "Bob"
    assert "0 of 2 submissions were graded now." in grade(toy_class)
    assert shown() == first
    grade(toy_class, "--tasks", "all")
    assert shown()["ada"] == ("Ada", "20")
    with Journal(toy_class.out) as journal:
        # All of them, and not those of today: the course may get another.
        assert journal.setting("asked tasks") == "all"


def test_what_cannot_be_graded_is_named_and_is_no_0(toy_class: ToyClass) -> None:
    toy_class.hand_in("ada", task_0_1=RIGHT, task_0_2=RIGHT)
    toy_class.hand_in("eve", task_0_1=NEVER_ENDS)
    (toy_class.submissions / "dan.7z").write_bytes(b"7z")
    text = grade(toy_class, "--time-limit", "1.5", status=3)
    assert "Not graded: eve. Grading it was ended: it took more than 1.5 s." in text
    assert "dan.7z is an archive of a kind that is not read" in text
    found = rows(toy_class)
    assert (found["eve"]["state"], found["eve"]["score"]) == ("not graded", "")
    assert found["ada"]["score"] == "20"


def test_a_dry_run_shows_who_is_matched_and_writes_nothing(
    toy_class: ToyClass, tmp_path: Path
) -> None:
    toy_class.hand_in("s1", task_0_1=RIGHT)
    toy_class.hand_in("stranger", task_0_1=RIGHT)
    roster = tmp_path / "roster.csv"
    roster.write_text("id,name\ns1,Ada Lovelace\ns2,Bob Hope\n", encoding="utf-8")
    text = grade(toy_class, "--roster", str(roster), "--dry-run")
    assert text.splitlines() == [
        "s1        Ada Lovelace; s1",
        "s2        Bob Hope; nothing handed in",
        "stranger  stranger; stranger; not in the roster",
        "2 submissions, 1 student without one, 1 not in the roster. Nothing was graded.",
    ]
    assert not toy_class.out.exists()


def test_another_seed_needs_another_run(toy_class: ToyClass) -> None:
    toy_class.hand_in("ada", task_0_1=RIGHT)
    grade(toy_class, "--tasks", "0.1")
    assert "This run began with --seed 1" in grade(toy_class, "--seed", "2", status=4)


@posix
def test_ctrl_c_ends_in_order_and_the_same_command_goes_on(toy_class: ToyClass) -> None:
    toy_class.hand_in("ada", task_0_1=RIGHT, task_0_2=RIGHT)
    toy_class.hand_in("eve", task_0_1=NEVER_ENDS, task_0_2=NEVER_ENDS)
    process = start(toy_class, "--workers", "1")
    until(lambda: graded(toy_class) == 1)
    below = {pid: began(pid) for pid in children(process.pid, recursive=True)}
    process.send_signal(signal.SIGINT)
    text, _ = process.communicate(timeout=LIMIT)
    assert process.returncode == 2
    assert "Interrupted; what is graded is kept." in text
    assert {id_: row["state"] for id_, row in rows(toy_class).items()} == {
        "ada": "graded",
        "eve": "waiting",
    }
    assert still_there(below) == []
    toy_class.hand_in("eve", task_0_1=RIGHT, task_0_2=WRONG)
    assert "1 of 2 submissions were graded now." in grade(toy_class)
    assert rows(toy_class)["eve"]["score"] == "10"


@posix
def test_a_killed_supervisor_loses_nothing_and_leaves_nothing(toy_class: ToyClass) -> None:
    toy_class.hand_in("ada", task_0_1=RIGHT, task_0_2=RIGHT)
    toy_class.hand_in("eve", task_0_1=NEVER_ENDS, task_0_2=NEVER_ENDS)
    process = start(toy_class, "--workers", "1")
    until(lambda: graded(toy_class) == 1)
    below = {pid: began(pid) for pid in children(process.pid, recursive=True)}
    process.kill()
    process.communicate(timeout=LIMIT)
    assert below
    until(lambda: still_there(below) == [])
    toy_class.hand_in("eve", task_0_1=WRONG, task_0_2=WRONG)
    assert "1 of 2 submissions were graded now." in grade(toy_class)
    assert {id_: row["score"] for id_, row in rows(toy_class).items()} == {"ada": "20", "eve": "0"}
