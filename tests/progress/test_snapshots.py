"""Kept states: nothing a student wrote is lost, and what is kept is for nobody else to read."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ml_api_lab.course.snapshot import File, Snapshot, SnapshotError
from ml_api_lab.progress import snapshots as module
from ml_api_lab.progress.folder import lab_folder
from ml_api_lab.progress.snapshots import Snapshots
from ml_api_lab.progress.writing import write_over
from tests.proofs.prover import COURSE
from tests.support.graded import ON_WINDOWS

TASK = "task_0_1"
STUB = Snapshot.of_texts({"main.py": "to do"})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "exercises" / TASK
    folder.mkdir(parents=True)
    (folder / "main.py").write_text("mine", encoding="utf-8")
    (folder / "notes.txt").write_text("notes", encoding="utf-8")
    return folder


@pytest.fixture
def snapshots(tmp_path: Path) -> Snapshots:
    return Snapshots(lab_folder(tmp_path))


@pytest.mark.skipif(ON_WINDOWS, reason="Windows has no fork, and no kill -9")
def test_random_sequences_with_kills_lose_nothing() -> None:
    # In a process of its own, since a fork of one with threads may hang.
    command = [sys.executable, "-m", "tests.support.kept_work", "--sequences", "25", "--seed", "3"]
    done = subprocess.run(command, cwd=COURSE, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "killed halfway" in done.stdout


def test_a_reset_and_an_undo_are_exact(folder: Path, snapshots: Snapshots) -> None:
    before = Snapshot.read(folder)
    snapshots.replace(TASK, folder, STUB)
    assert Snapshot.read(folder) == STUB
    last = snapshots.last_to_undo()
    assert last is not None and last.done
    snapshots.undo(TASK, folder, last)
    assert Snapshot.read(folder) == before
    assert snapshots.last_to_undo() is None


def test_undo_takes_back_one_reset_after_the_other(folder: Path, snapshots: Snapshots) -> None:
    for number in range(3):
        (folder / "main.py").write_text(str(number), encoding="utf-8")
        snapshots.replace(TASK, folder, STUB)
    found = []
    while (last := snapshots.last_to_undo(TASK)) is not None:
        snapshots.undo(TASK, folder, last)
        found.append((folder / "main.py").read_text(encoding="utf-8"))
    assert found == ["2", "1", "0"]


def test_a_task_is_undone_by_itself(tmp_path: Path, folder: Path, snapshots: Snapshots) -> None:
    other = tmp_path / "exercises" / "task_0_2"
    snapshots.replace(TASK, folder, STUB)
    snapshots.replace("task_0_2", other, STUB)
    last = snapshots.last_to_undo(TASK)
    assert last is not None and last.task == TASK


@pytest.mark.skipif(ON_WINDOWS, reason="Windows has other permissions")
def test_only_its_owner_may_look_into_it(folder: Path, snapshots: Snapshots) -> None:
    snapshots.replace(TASK, folder, STUB)
    for path in (snapshots.folder, *snapshots.folder.rglob("*")):
        mode = path.stat().st_mode & 0o777
        expected = 0o700 if path.is_dir() else 0o600
        assert mode & ~expected == 0 or path.suffix == ".done", path


def test_git_ignores_it(folder: Path, snapshots: Snapshots) -> None:
    snapshots.replace(TASK, folder, STUB)
    assert (snapshots.folder / ".gitignore").read_text(encoding="utf-8") == "*\n"


@pytest.mark.skipif(ON_WINDOWS, reason="Windows has other permissions")
def test_a_replaced_file_keeps_its_permissions(folder: Path, snapshots: Snapshots) -> None:
    (folder / "main.py").chmod(0o600)
    snapshots.replace(TASK, folder, STUB)
    assert (folder / "main.py").stat().st_mode & 0o777 == 0o600


def test_what_running_a_task_leaves_is_not_touched(folder: Path, snapshots: Snapshots) -> None:
    (folder / "model.pkl").write_bytes(b"model")
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "main.cpython-311.pyc").write_bytes(b"code")
    snapshots.replace(TASK, folder, STUB)
    assert (folder / "model.pkl").read_bytes() == b"model"
    assert (folder / "__pycache__" / "main.cpython-311.pyc").exists()


def test_what_cannot_be_kept_is_not_replaced(folder: Path, snapshots: Snapshots) -> None:
    (folder / "main.py").write_bytes(b"x" * (2**20 + 1))
    with pytest.raises(SnapshotError, match=r"main\.py has more than 1 MB; move it away first"):
        snapshots.replace(TASK, folder, STUB)
    assert (folder / "main.py").stat().st_size == 2**20 + 1


def test_a_file_in_place_of_a_folder_is_brought_back(folder: Path, snapshots: Snapshots) -> None:
    (folder / "main.py").unlink()
    (folder / "main.py").mkdir()
    (folder / "main.py" / "inner.txt").write_text("inner", encoding="utf-8")
    before = Snapshot.read(folder)
    snapshots.replace(TASK, folder, STUB)
    assert Snapshot.read(folder) == STUB
    last = snapshots.last_to_undo()
    assert last is not None
    snapshots.undo(TASK, folder, last)
    assert Snapshot.read(folder) == before


def test_graded_states_are_given_up_and_replaced_ones_never(
    folder: Path, snapshots: Snapshots, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_GRADED", 3)
    replaced = snapshots.replace(TASK, folder, STUB).before
    graded = []
    for number in range(6):
        state = Snapshot.of_texts({"main.py": str(number)})
        graded.append(snapshots.keep_graded(TASK, state))
        os.utime(snapshots.folder / "graded" / TASK / f"{state.id}.json", (number, number))
    known = snapshots.known(TASK)
    assert replaced in known
    assert sorted(known) == sorted([replaced, *graded[-3:]])


def test_a_state_is_named_by_its_beginning(snapshots: Snapshots) -> None:
    digest = snapshots.keep_graded(TASK, STUB)
    assert snapshots.named(TASK, digest[:6].upper()) == digest
    with pytest.raises(
        SnapshotError, match=r"no kept state that begins with 'xyz'; lab history 0\.1"
    ):
        snapshots.named(TASK, "xyz")
    with pytest.raises(SnapshotError, match="no kept state that begins with ''"):
        snapshots.named(TASK, "")


def test_a_damaged_state_is_not_brought_back(snapshots: Snapshots) -> None:
    digest = snapshots.keep_graded(TASK, STUB)
    path = snapshots.folder / "graded" / TASK / f"{digest}.json"
    path.write_bytes(path.read_bytes().replace(b"to do", b"to be"))
    with pytest.raises(SnapshotError, match="is damaged: its content has changed"):
        snapshots.get(TASK, digest)
    path.write_bytes(b"[]")
    with pytest.raises(SnapshotError, match="damaged"):
        snapshots.get(TASK, digest)
    path.unlink()
    with pytest.raises(SnapshotError, match="cannot be read"):
        snapshots.get(TASK, digest)


def test_a_file_that_changes_meanwhile_is_left_alone(folder: Path, snapshots: Snapshots) -> None:
    current = Snapshot.read(folder)
    (folder / "main.py").write_text("newer", encoding="utf-8")
    with pytest.raises(SnapshotError, match=r"main\.py was changed meanwhile"):
        write_over(current, STUB, folder, snapshots.folder)
    assert (folder / "main.py").read_text(encoding="utf-8") == "newer"


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"a.txt": File(b"")},
        {"a.bin": File(bytes(range(256)))},
        {"bom.txt": File(b"\xef\xbb\xbftext\r\n")},
        {"run.sh": File(b"#!/bin/sh\n", executable=True)},
        {"caf\u00e9/\udcff.txt": File("\u00e9\u2028".encode())},
    ],
)
def test_what_is_dumped_is_loaded(files: dict[str, File]) -> None:
    state = Snapshot(files, {"link": "a.txt"})
    assert Snapshot.load(state.dump()) == state
    assert Snapshot.load(state.dump()).id == state.id


def test_a_folder_with_far_too_much_is_refused(tmp_path: Path) -> None:
    for number in range(501):
        (tmp_path / str(number)).touch()
    with pytest.raises(SnapshotError, match="more than 500 files"):
        Snapshot.read(tmp_path)
