"""`lab run`: the cards, the points and the exit status of pytest, without pytest."""

from __future__ import annotations

import glob
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from ml_api_lab.course.snapshot import Snapshot
from ml_api_lab.progress.folder import lab_folder
from ml_api_lab.progress.history import History
from ml_api_lab.progress.snapshots import Snapshots
from tests.proofs.prover import COURSE, LEFT_OUT
from tests.support import lab
from tests.support.graded import ON_WINDOWS
from tests.support.lab import COMMAND
from tests.support.toy import LIMIT, Course, own_environment
from tests.support.toy_tasks import RIGHT, two_tasks

BROKEN = "import no_such_module\n"
HALF = 'print("hello")\n'
ENDS = "import os\nprint('hello', flush=True)\nos._exit(3)\n"


def from_pytest(text: str, title: str) -> tuple[list[str], list[str]]:
    """Return the rows of the cards, and those of the grade, in what pytest has printed."""
    lines = text.splitlines()
    places = {name: number for number, line in enumerate(lines) if (name := line.strip("= "))}
    # What is as it was handed out has no card, and pytest then no place for cards.
    cards = lines[places.get("FAILURES", places[title] - 1) + 1 : places[title]]
    cards = [line for line in cards if line and not re.fullmatch("_+ .+ _+", line)]
    return cards, lines[places[title] + 1 : -1]


def from_lab(text: str, title: str) -> tuple[list[str], list[str]]:
    lines = text.splitlines()
    place = lines.index(title)
    return [line for line in lines[:place] if line], lines[place + 1 :]


def same(course: Course, *words: str, here: str = ".", title: str) -> None:
    """Grade with both, and require that both show the same."""
    mine = lab.run(course.root, "run", *words, "--seed=1", here=here)
    shutil.rmtree(lab_folder(course.root))  # the next step depends on what was graded before
    paths = [f"{course.root}/checks/task_{word.replace('.', '_')}" for word in words if "." in word]
    options = [word for word in words if word == "-v"]
    theirs = course.run(*paths, *options, "--seed=1", cwd=here, report=False)
    assert from_lab(mine.out, title) == from_pytest(theirs.text, title)
    assert (mine.status, mine.err) == (theirs.status, "")


@pytest.mark.parametrize(
    ("program", "words"),
    [
        (BROKEN, ["0.1"]),
        (BROKEN, ["0.1", "-v"]),
        (HALF, ["0.1", "0.2"]),
        (HALF, ["--all"]),
        (ENDS, ["0.1"]),
        (ENDS, ["--all"]),
    ],
)
def test_it_shows_what_pytest_shows(program: str, words: list[str], tmp_path: Path) -> None:
    course = two_tasks(tmp_path / "course")
    (course.root / "exercises" / "task_0_1" / "main.py").write_text(program, encoding="utf-8")
    same(course, *words, title="Toy course: exercises")


def test_paths_are_those_from_where_one_is(course: Course) -> None:
    same(course, "0.1", here="exercises/task_0_2", title="Toy course: exercises")


def test_a_missing_folder_is_told_as_in_pytest(tmp_path: Path) -> None:
    course = two_tasks(tmp_path / "course")
    shutil.rmtree(course.root / "exercises" / "task_0_2")
    mine = lab.run(course.root, "run", "--all", "--seed=1")
    shutil.rmtree(lab_folder(course.root))
    theirs = course.run("--seed=1", report=False)
    title = "Toy course: exercises"
    assert from_lab(mine.out, title) == from_pytest(theirs.text, title)
    assert "exercises/task_0_2 is missing." in mine.out


@pytest.mark.parametrize("task", ["0.3", "2.1", "3.2"])
def test_it_shows_what_pytest_shows_of_real_tasks(task: str, tmp_path: Path) -> None:
    for name in ("checks", "exercises"):
        shutil.copytree(COURSE / name, tmp_path / "course" / name, ignore=LEFT_OUT)
    shutil.copy(COURSE / "pyproject.toml", tmp_path / "course")
    course = Course.__new__(Course)
    course.root = tmp_path / "course"
    same(course, task, title="ML API lab: exercises")


@pytest.mark.parametrize("fork", ["0", "1"])
def test_it_grades_on_forks_and_on_fresh_interpreters(fork: str, tmp_path: Path) -> None:
    course = two_tasks(tmp_path / "course")
    (course.root / "exercises" / "task_0_1" / "main.py").write_text(RIGHT, encoding="utf-8")
    said = lab.run(course.root, "run", "0.1", LAB_FORK=fork)
    assert (said.status, said.err) == (0, "")
    assert (
        said.lines[1]
        == "0.1 Toy task_0_1                         [####################]  10 of  10"
    )
    assert said.lines[-1].startswith("Next: 0.2: ")
    assert lab.run(course.root, "run", "0.2", LAB_FORK=fork).status == 1


def test_what_was_graded_is_remembered_and_kept(tmp_path: Path) -> None:
    course = two_tasks(tmp_path / "course")
    folder = course.root / "exercises" / "task_0_1"
    (folder / "main.py").write_text(HALF, encoding="utf-8")
    lab.run(course.root, "run", "0.1", "--seed=7")
    (row,) = History(lab_folder(course.root)).rows()
    assert (row.task, row.points, row.maximum, row.seed, row.program) == (
        "task_0_1",
        4,
        10,
        7,
        "lab",
    )
    assert (row.failed, row.hint) == (
        "checks/task_0_1/test_toy.py::test_waits",
        "What does sleep do?",
    )
    kept = Snapshots(lab_folder(course.root)).get("task_0_1", row.state)
    assert kept.files == Snapshot.read(folder).files


def test_without_a_name_it_grades_where_one_is(tmp_path: Path) -> None:
    course = two_tasks(tmp_path / "course")
    inside = lab.run(course.root, "run", here="exercises/task_0_2")
    assert "\n0.2 Toy task_0_2" in inside.out and "0.1 " not in inside.out
    outside = lab.run(course.root, "run")
    assert "\n0.2 Toy task_0_2" in outside.out
    assert "(This is task 0.2, which lab shows as the next. You can name" in outside.err


def test_a_check_that_only_pytest_can_run_is_refused(tmp_path: Path) -> None:
    course = two_tasks(tmp_path / "course")
    check = """
@points(10, hint="?")
async def test_one(task: Task, tmp_path):
    \"\"\"Title.\"\"\"
"""
    course.task("task_0_3", check)
    said = lab.run(course.root, "run", "0.3")
    assert (said.status, said.out) == (4, "")
    assert said.err.endswith("asks for what only pytest gives; run: pytest checks/task_0_3\n")


def test_a_check_that_fails_by_itself_is_no_grade(tmp_path: Path) -> None:
    course = two_tasks(tmp_path / "course")
    check = """
from ml_api_lab.errors import HarnessError
@points(10, hint="?")
async def test_one(task: Task):
    \"\"\"Title.\"\"\"
    raise HarnessError("It broke.")
"""
    course.task("task_0_3", check)
    said = lab.run(course.root, "run", "0.3")
    assert said.status == 3
    assert "The grade is not to be relied on." in said.out
    assert History(lab_folder(course.root)).rows() == []


@pytest.mark.skipif(ON_WINDOWS, reason="Windows sends no such signal to one process")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_ends_as_that_of_pytest(number: signal.Signals, tmp_path: Path) -> None:
    course = two_tasks(tmp_path / "course")
    workspaces = tmp_path / "workspaces"
    workspaces.mkdir()
    endless = "open('begun', 'w').close()\nwhile True: pass\n"
    (course.root / "exercises" / "task_0_1" / "main.py").write_text(endless, encoding="utf-8")
    process = subprocess.Popen(
        [*COMMAND, "run", "0.1"],
        cwd=course.root,
        env=own_environment(TMPDIR=str(workspaces)),
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    while process.poll() is None and not glob.glob(f"{workspaces}/**/begun", recursive=True):
        time.sleep(0.01)
    process.send_signal(number)
    said, _ = process.communicate(timeout=LIMIT)
    assert process.returncode == 2
    assert "This is no whole run: interrupted." in said
    assert "Next:" not in said
    assert History(lab_folder(course.root)).rows() == []
