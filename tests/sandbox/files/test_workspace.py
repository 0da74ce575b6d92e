"""Workspaces: where they are made, what of a folder they hold, and that they go."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from dotenv import dotenv_values, find_dotenv

from ml_api_lab.errors import HarnessError
from ml_api_lab.sandbox.files import shared_memory, workspace
from ml_api_lab.sandbox.files.workspace import Workspace
from tests.support.faults import Fault, each_fault
from tests.support.sentences import fault

GIGABYTE = 2**30

links = pytest.mark.skipif(os.name != "posix", reason="Windows asks for a right to make links")


@pytest.fixture
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that stands for the one in memory, with room, in an environment without TMPDIR."""
    folder = tmp_path / "memory"
    folder.mkdir()
    monkeypatch.setattr(shared_memory, "FOLDER", str(folder))
    monkeypatch.delenv("TMPDIR", raising=False)
    have(monkeypatch, 2 * GIGABYTE)
    return folder


def have(monkeypatch: pytest.MonkeyPatch, free: int, flags: int = 0) -> None:
    """Let every file system have that many bytes free."""
    found = SimpleNamespace(
        f_bavail=free // 4096, f_bfree=free // 4096, f_blocks=2**40, f_frsize=4096, f_flag=flags
    )
    monkeypatch.setattr(os, "statvfs", lambda path: found, raising=False)
    monkeypatch.setattr(os, "ST_NOEXEC", 8, raising=False)


def copy_is_in(folder: Path, original: Path) -> bool:
    (original / "main.py").write_text("print(1)\n", encoding="utf-8")
    copy = Workspace(original, "task_0_1", "exercises/task_0_1")
    try:
        assert copy.text("main.py") == "print(1)\n"
        return copy.folder.parents[2] == folder.resolve()
    finally:
        copy.close()
        assert not copy.folder.exists()


def test_copies_are_made_in_memory_where_there_is_room(memory: Path, original: Path) -> None:
    assert copy_is_in(memory, original)
    assert list(memory.iterdir()) == []


def test_tmpdir_says_otherwise(
    memory: Path, original: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.setenv("TMPDIR", str(elsewhere))
    monkeypatch.setattr(tempfile, "tempdir", None)
    assert copy_is_in(elsewhere, original)


@pytest.mark.parametrize(
    ("free", "flags"),
    [(64 * 2**20, 0), (2 * GIGABYTE, 8)],
    ids=["too little room", "nothing may be executed there"],
)
def test_memory_that_does_not_do_is_left_alone(
    free: int, flags: int, memory: Path, original: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    have(monkeypatch, free, flags)
    assert copy_is_in(Path(tempfile.gettempdir()), original)


def test_a_system_without_such_a_folder_has_temporary_files(
    memory: Path, original: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory.rmdir()
    assert copy_is_in(Path(tempfile.gettempdir()), original)


@links
def test_links_to_folders_of_its_own_lead_there_again(
    original: Path, copy: Callable[[], Workspace]
) -> None:
    """Followed, two links to the folder itself would double what there is at every level."""
    (original / "main.py").touch()
    (original / "inner").mkdir()
    (original / "inner" / "flowers.csv").write_text("5.1\n", encoding="utf-8")
    for name, target in (("a", "."), ("b", ".."), ("c", original / "inner")):
        (original / name).symlink_to(target, target_is_directory=True)
    made = copy()
    assert made.names() == ["inner/flowers.csv", "main.py"]
    assert (made.folder / "c" / "flowers.csv").resolve() == made.folder / "inner" / "flowers.csv"
    assert (made.folder / "a").resolve() == made.folder
    assert not (made.folder / "b").exists()


@links
def test_links_within_the_tree_are_copied_as_what_they_lead_to(
    original: Path, tmp_path: Path, copy: Callable[[], Workspace]
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "flowers.csv").write_text("5.1\n", encoding="utf-8")
    (tmp_path / "data" / "again").symlink_to(".", target_is_directory=True)
    (original / "data").symlink_to("../data", target_is_directory=True)
    (original / "main.py").symlink_to("../data/flowers.csv")
    made = copy()
    assert made.names() == ["data/flowers.csv", "main.py"]
    assert made.text("data/flowers.csv") == made.text("main.py") == "5.1\n"
    assert not (made.folder / "data").is_symlink()


@links
@pytest.mark.parametrize("target", ["../../secret/key", "/dev/zero"])
def test_links_out_of_the_tree_are_not_followed(
    target: str, original: Path, tmp_path: Path, copy: Callable[[], Workspace]
) -> None:
    (tmp_path.parent / "secret").mkdir(exist_ok=True)
    (tmp_path.parent / "secret" / "key").write_text("a secret\n", encoding="utf-8")
    (original / "main.py").symlink_to(target)
    (original / "folder").symlink_to("../../secret", target_is_directory=True)
    made = copy()
    assert [each.name for each in made.folder.iterdir()] == []
    assert fault(lambda: made.text("main.py")) == (
        "exercises/task_0_1/main.py is a link that leads out of the tree."
    )


@links
def test_a_folder_that_is_a_link_out_of_the_tree(
    original: Path, tmp_path: Path, copy: Callable[[], Workspace]
) -> None:
    original.rmdir()
    (tmp_path.parent / "reference").mkdir(exist_ok=True)
    original.symlink_to("../reference", target_is_directory=True)
    assert fault(copy) == (
        "exercises/task_0_1 is a link that leads out of the tree; put the folder itself there."
    )


@pytest.mark.skipif(os.name != "posix", reason="making the link takes a right on Windows")
def test_a_link_that_cannot_be_made_is_left_out(
    original: Path, copy: Callable[[], Workspace], monkeypatch: pytest.MonkeyPatch
) -> None:
    (original / "data").symlink_to(".", target_is_directory=True)

    def refuse(*given: object, **more: object) -> None:
        raise OSError(1314, "A required privilege is not held by the client")

    monkeypatch.setattr(os, "symlink", refuse)
    assert fault(lambda: copy().require("data")) == (
        "exercises/task_0_1/data cannot be linked to "
        "(A required privilege is not held by the client)."
    )


@pytest.mark.parametrize("folder", ["env", ".venv", "venv", "node_modules", "__pycache__"])
def test_what_tools_keep_there_is_left_out(
    folder: str, original: Path, copy: Callable[[], Workspace]
) -> None:
    (original / folder).mkdir()
    (original / folder / "pyvenv.cfg").touch()
    (original / "main.py").touch()
    made = copy()
    assert [path.name for path in made.folder.iterdir()] == ["main.py"]


def test_a_folder_of_too_many_files(original: Path, copy: Callable[[], Workspace]) -> None:
    for number in range(5001):
        (original / f"{number}.txt").touch()
    assert fault(copy) == (
        "exercises/task_0_1 holds more than 5000 files; "
        "leave nothing there but what belongs to the task."
    )


def test_a_folder_of_too_much(original: Path, copy: Callable[[], Workspace]) -> None:
    with (original / "flowers.csv").open("wb") as file:
        file.truncate(2**40)  # that size by name; the disk holds nothing of it
    assert fault(copy).startswith("exercises/task_0_1 holds more than 100 MB; ")


@pytest.mark.parametrize(
    ("name", "asked", "end"),
    [
        (None, "main.py", "main.py is missing; the folder is empty."),
        ("app.py", "main.py", "main.py is missing; the folder holds app.py."),
        ("Main.py", "main.py", "main.py is missing; rename Main.py to main.py."),
        ("dockerfile", "Dockerfile", "Dockerfile is missing; rename dockerfile to Dockerfile."),
        ("env", ".env", ".env is missing; rename env to .env."),
        ("main.py/main.py", "main.py", "main.py is a folder; it must be a file."),
    ],
)
def test_a_missing_file(
    name: str | None, asked: str, end: str, original: Path, copy: Callable[[], Workspace]
) -> None:
    if name is not None:
        (original / name).parent.mkdir(exist_ok=True)
        (original / name).touch()
    if name is not None and (original / asked).is_file():
        pytest.skip("this file system does not tell these names apart")
    made = copy()
    assert fault(lambda: made.require(asked)) == f"exercises/task_0_1/{end}"


def test_a_missing_folder(original: Path, copy: Callable[[], Workspace]) -> None:
    (original.parent / "Original-").mkdir()
    original.rmdir()
    assert fault(copy) == "exercises/task_0_1 is missing; rename Original- to original."


@pytest.mark.skipif(os.name != "posix", reason="Windows asks for a right to make links")
def test_a_link_that_leads_to_itself(original: Path, copy: Callable[[], Workspace]) -> None:
    (original / "main.py").touch()
    (original / "loop").symlink_to("loop")
    made = copy()
    assert made.names() == ["main.py"]
    assert fault(lambda: made.require("loop")).startswith("exercises/task_0_1/loop cannot be read")


def test_no_room_is_nobodys_fault(
    memory: Path, copy: Callable[[], Workspace], monkeypatch: pytest.MonkeyPatch
) -> None:
    have(monkeypatch, 8 * 2**20)
    with pytest.raises(HarnessError, match=r"^8 MB are free in .*; make room, or set TMPDIR"):
        copy()


def test_a_full_disk_is_nobodys_fault(
    original: Path, copy: Callable[[], Workspace], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(source: object, target: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    (original / "main.py").touch()
    monkeypatch.setattr(shutil, "copyfileobj", full)
    with pytest.raises(HarnessError, match="No space left on device"):
        copy()


def test_a_file_that_has_grown_too_large(original: Path, copy: Callable[[], Workspace]) -> None:
    made = copy()
    with made.path("predictions.jsonl").open("wb") as file:
        file.truncate(2**40)
    assert fault(lambda: made.text("predictions.jsonl")) == (
        "exercises/task_0_1/predictions.jsonl has more than 32 MB, too much to read."
    )


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
def test_what_nobody_may_read_or_write(original: Path, copy: Callable[[], Workspace]) -> None:
    (original / "closed").mkdir()
    (original / "closed" / "main.py").touch()
    (original / "closed" / "main.py").chmod(0o444)
    (original / "closed").chmod(0o555)
    try:
        made = copy()
        made.write("closed/main.py", "print(1)\n")
        made.path("closed").chmod(0)
        made.close()
        workspace.sweep()
        assert not made.folder.parents[1].exists()
    finally:
        (original / "closed").chmod(0o755)


@pytest.mark.skipif(os.name != "posix", reason="Windows allows no paths of that length")
def test_any_depth_is_removed(
    copy: Callable[[], Workspace], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = copy()
    monkeypatch.chdir(made.folder)
    for _ in range(1500):
        os.mkdir("deep")
        os.chdir("deep")
    os.chdir("/")
    made.close()
    workspace.sweep()
    assert not made.folder.parents[1].exists()


def test_settings_of_others_are_not_found(
    memory: Path, copy: Callable[[], Workspace], monkeypatch: pytest.MonkeyPatch
) -> None:
    """python-dotenv looks for its file in all folders above; another submission may write there."""
    (memory / ".env").write_text("API_KEY=of-somebody-else\n", encoding="utf-8")
    made = copy()
    assert made.folder.parents[2] == memory.resolve()
    monkeypatch.chdir(made.folder)
    assert dotenv_values(find_dotenv(usecwd=True)) == {}
    made.write(".env", "API_KEY=my-own\n")
    assert dotenv_values(find_dotenv(usecwd=True)) == {"API_KEY": "my-own"}


def _remove_file(folder: Path) -> Path:
    (folder / "main.py").unlink()
    return folder / "main.py"


def _replace_folder(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.touch()


def _replace_by_folder(folder: Path) -> None:
    _remove_file(folder).mkdir()


def _replace_by_pipe(folder: Path) -> None:
    os.mkfifo(_remove_file(folder))


def _replace_by_link(folder: Path) -> None:
    _remove_file(folder).symlink_to("nowhere")


FAULTS = {
    "no folder": Fault("", "exercises/{task} is missing.", prepare=shutil.rmtree),
    "the folder is a file": Fault(
        "", "exercises/{task} is a file; it must be a folder.", prepare=_replace_folder
    ),
    "no file": Fault(
        "", "exercises/{task}/main.py is missing; the folder is empty.", prepare=_remove_file
    ),
    "the file is a folder": Fault(
        "",
        "exercises/{task}/main.py is a folder; it must be a file.",
        prepare=_replace_by_folder,
    ),
    "a pipe for a file": Fault(
        "",
        "exercises/{task}/main.py is not a plain file.",
        is_posix_only=True,
        prepare=_replace_by_pipe,
    ),
    "a dangling link": Fault(
        "",
        "exercises/{task}/main.py is not a plain file.",
        is_posix_only=True,
        prepare=_replace_by_link,
    ),
}


test_fault = each_fault(FAULTS)
