"""Whether what a program finds is the same again: all that it could see, and nothing of ours."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ml_api_lab.sandbox.files.state import is_unchanged, state_of

OURS = "output-"
posix = pytest.mark.skipif(os.name == "nt", reason="asks for a right to make links")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "folder"
    (folder / "below").mkdir(parents=True)
    (folder / "below" / "file").write_text("text")
    (folder / "output-0").write_text("printed")
    return folder


def grow(folder: Path) -> None:
    (folder / "below" / "file").write_text("texts")


def change(folder: Path) -> None:
    (folder / "below" / "file").write_text("test")


def add(folder: Path) -> None:
    (folder / "empty").mkdir()


def remove(folder: Path) -> None:
    (folder / "below" / "file").unlink()


def rename(folder: Path) -> None:
    (folder / "below" / "file").rename(folder / "below" / "other")


def replace_by_a_link(folder: Path) -> None:
    (folder / "below" / "file").rename(folder / "output-1")
    (folder / "below" / "file").symlink_to(folder / "output-1")


def lock(folder: Path) -> None:
    (folder / "below" / "file").chmod(0o400)


@pytest.mark.parametrize(
    "act",
    [
        *(grow, change, add, remove, rename),
        *(pytest.param(each, marks=posix) for each in (replace_by_a_link, lock)),
    ],
)
def test_a_change_is_seen(act: Callable[[Path], None], folder: Path) -> None:
    before = state_of(folder, OURS)
    assert is_unchanged(folder, OURS, before)
    act(folder)
    assert not is_unchanged(folder, OURS, before)
    assert state_of(folder, OURS) != before


def test_a_copy_is_the_same_whenever_it_was_made(folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "copy")
    os.utime(copy / "below" / "file", (1, 1))
    assert state_of(copy, OURS) == state_of(folder, OURS)


def test_what_is_ours_is_no_part_of_it(folder: Path) -> None:
    before = state_of(folder, OURS)
    (folder / "output-1").write_text("more")
    assert is_unchanged(folder, OURS, before)
    (folder / "below" / "output-1").write_text("its own")
    assert not is_unchanged(folder, OURS, before)


@posix
def test_what_leads_out_is_not_read(folder: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("one")
    (folder / "link").symlink_to(secret)
    before = state_of(folder, OURS)
    secret.write_text("two")
    assert is_unchanged(folder, OURS, before)


@pytest.mark.skipif(sys.platform == "win32", reason="has no pipes in folders")
def test_a_pipe_is_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    assert state_of(folder, OURS).entries


def test_too_much_is_an_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ml_api_lab.sandbox.files.state._MOST_ENTRIES", 1)
    with pytest.raises(OSError, match="too many"):
        state_of(folder, OURS)
