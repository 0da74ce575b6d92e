"""A task's files: the same digest for the same files, and nothing that a link leads to outside."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ml_api_class import task_files
from ml_api_class.task_files import TaskFiles
from ml_api_lab.course.snapshot import File


def test_they_come_back_as_they_were(tmp_path: Path) -> None:
    given = TaskFiles(
        {"main.py": File(b"\x00\xff"), "bin/run": File(b"x", executable=True)}, ("a",)
    )
    back = TaskFiles.unpack(given.pack())
    assert (back, back.digest) == (given, given.digest)
    back.write(tmp_path, "task_0_1")
    again, notes = task_files.read(tmp_path / "task_0_1", tmp_path, "task_0_1")
    assert again.files == given.files
    assert set(again.folders) == {"a", "bin"}
    assert notes == []


@pytest.mark.parametrize(
    "other",
    [
        TaskFiles({"main.py": File(b"b")}),
        TaskFiles({"other.py": File(b"a")}),
        TaskFiles({"main.py": File(b"a", executable=True)}),
        TaskFiles({"main.py": File(b"a")}, folders=("empty",)),
        TaskFiles(is_missing=True),
        TaskFiles(is_missing=True, beside=("task-0-1",)),
        TaskFiles(problem="task_0_1 holds more than 100 MB."),
    ],
)
def test_every_difference_makes_another_digest(other: TaskFiles) -> None:
    assert other.digest != TaskFiles({"main.py": File(b"a")}).digest
    assert TaskFiles.unpack(other.pack()) == other


@pytest.mark.skipif(os.name == "nt", reason="links need a right on Windows")
def test_links_are_taken_for_files_of_the_same_tree_alone(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("keep out")
    task = tmp_path / "tree" / "task_0_1"
    (task / "folder").mkdir(parents=True)
    (tmp_path / "tree" / "shared.py").write_text("x = 1")
    (task / "main.py").symlink_to("../shared.py")
    (task / "stolen").symlink_to(secret)
    (task / "again").symlink_to("folder")
    files, notes = task_files.read(task, tmp_path / "tree", "task_0_1")
    assert files.files == {"main.py": File(b"x = 1")}
    assert sorted(notes) == [
        "task_0_1/again is a link to a folder, which is not followed.",
        "task_0_1/stolen is a link that leads out of the tree.",
    ]
    (tmp_path / "tree" / "task_0_2").symlink_to(tmp_path)
    files, _ = task_files.read(tmp_path / "tree" / "task_0_2", tmp_path / "tree", "task_0_2")
    assert "leads out of the tree" in files.problem


def test_a_missing_task_says_what_is_there_in_its_place(tmp_path: Path) -> None:
    (tmp_path / "task-0-1").mkdir()
    (tmp_path / "task_0_2").mkdir()
    files = task_files.missing(tmp_path, ["task_0_1", "task_0_2"])
    assert (files.is_missing, files.beside) == (True, ("task-0-1",))
    files.write(tmp_path / "task-0-1", "task_0_1")
    assert (tmp_path / "task-0-1" / "task-0-1").is_dir()


def test_what_no_lab_could_copy_is_a_problem_and_no_crash(tmp_path: Path) -> None:
    folder = tmp_path / "task_0_1"
    folder.mkdir()
    with (folder / "large").open("wb") as file:
        file.truncate(101 * 2**20)
    files, notes = task_files.read(folder, tmp_path, "task_0_1")
    assert files.problem == (
        "task_0_1 holds more than 100 MB; leave nothing there but what belongs to the task."
    )
    assert notes == [files.problem]
