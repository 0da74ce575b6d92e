"""What stands in a submission's source: read of plain modules alone, whatever else lies there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ml_api_lab.sandbox.files.source_text import a_module_contains


def test_modules_are_read_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "empty.py").write_bytes(b"")
    (tmp_path / "notes.txt").write_bytes(b"word")
    (tmp_path / "folder.py").mkdir()
    assert not a_module_contains(tmp_path, b"word")
    (tmp_path / "other.py").write_bytes(b"\xff" * 100_000 + b"word")
    assert a_module_contains(tmp_path, b"word")


def test_a_folder_that_is_not_there_has_no_module(tmp_path: Path) -> None:
    assert not a_module_contains(tmp_path / "nowhere", b"word")


@pytest.mark.skipif(os.name == "nt", reason="has neither pipes with names nor links for everybody")
def test_neither_a_pipe_nor_a_link_is_opened(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"word")
    folder = tmp_path / "task"
    folder.mkdir()
    os.mkfifo(folder / "main.py")
    (folder / "linked.py").symlink_to(secret)
    assert not a_module_contains(folder, b"word")
