"""Where scratch copies are made."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from shared import scratch
from shared.scratch import Scratch

GIGABYTE = 2**30


@pytest.fixture
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that stands for the one in memory, with room, in an environment without TMPDIR."""
    folder = tmp_path / "memory"
    folder.mkdir()
    monkeypatch.setattr(scratch, "_MEMORY", str(folder))
    monkeypatch.delenv("TMPDIR", raising=False)
    have(monkeypatch, 2 * GIGABYTE)
    return folder


def have(monkeypatch: pytest.MonkeyPatch, free: int, flags: int = 0) -> None:
    """Let every file system have that many bytes free."""
    found = SimpleNamespace(f_bavail=free // 4096, f_frsize=4096, f_flag=flags)
    monkeypatch.setattr(os, "statvfs", lambda path: found, raising=False)
    monkeypatch.setattr(os, "ST_NOEXEC", 8, raising=False)


def copy_is_in(folder: Path, original: Path) -> bool:
    (original / "main.py").write_text("print(1)\n", encoding="utf-8")
    copy = Scratch(original, "task_0_1", "exercises/task_0_1")
    try:
        assert copy.text("main.py") == "print(1)\n"
        return copy.folder.parents[2] == folder.resolve()
    finally:
        copy.close()
        assert not copy.folder.exists()


@pytest.fixture
def original(tmp_path: Path) -> Path:
    folder = tmp_path / "original"
    folder.mkdir()
    return folder


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
