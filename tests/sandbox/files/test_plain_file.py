"""Files of a submission: no link is followed to them, and nothing but a plain file is opened."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ml_api_lab.sandbox.files.plain_file import open_plain, plain_files, write_plain
from ml_api_lab.sandbox.files.workspace import Workspace
from tests.support.sentences import fault

links = pytest.mark.skipif(os.name != "posix", reason="Windows asks for a right to make links")


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "a/../../secret", ".."])
def test_no_path_leads_out(name: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x", encoding="utf-8")
    (tmp_path / "root" / "a").mkdir(parents=True)
    with pytest.raises(OSError, match="outside the folder"):
        open_plain(tmp_path / "root", name)
    with pytest.raises(OSError, match="outside the folder"):
        write_plain(tmp_path / "root", name, b"x")


def test_files_that_are_too_many_to_be_listed_are_told(tmp_path: Path) -> None:
    for number in range(9):
        (tmp_path / f"{number}.txt").touch()
    assert len(list(plain_files(tmp_path, 9))) == 9
    with pytest.raises(OSError, match="too many files"):
        list(plain_files(tmp_path, 8))


@links
def test_what_becomes_a_link_is_neither_read_nor_written_through(
    original: Path, tmp_path: Path, copy: Callable[[], Workspace]
) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "log.jsonl").write_text("a secret\n", encoding="utf-8")
    (original / "data").mkdir()
    made = copy()
    made.path("log.jsonl").symlink_to(secret / "log.jsonl")
    assert not made.exists("log.jsonl")
    assert fault(lambda: made.text("log.jsonl")) == (
        "exercises/task_0_1/log.jsonl is a link; it must be a file."
    )
    assert not made.contains("log.jsonl", b"secret")
    assert made.names() == []
    made.write("log.jsonl", "mine\n")
    assert made.text("log.jsonl") == "mine\n"
    made.path("data").rmdir()
    made.path("data").symlink_to(secret, target_is_directory=True)
    assert made.names() == ["log.jsonl"]
    assert fault(lambda: made.text("data/log.jsonl")).startswith(
        "exercises/task_0_1/data/log.jsonl cannot be read ("
    )
    with pytest.raises(OSError, match="data"):
        made.write("data/new.txt", "x")
    assert [path.name for path in secret.iterdir()] == ["log.jsonl"]
    assert (secret / "log.jsonl").read_text(encoding="utf-8") == "a secret\n"


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such pipes")
def test_a_pipe_in_the_place_of_a_file_keeps_nobody_waiting(
    copy: Callable[[], Workspace],
) -> None:
    made = copy()
    os.mkfifo(made.path("log.jsonl"))
    assert fault(lambda: made.data("log.jsonl")).startswith("exercises/task_0_1/log.jsonl ")
    assert not made.contains("log.jsonl", b"x")
    made.write("log.jsonl", "mine\n")
    assert made.text("log.jsonl") == "mine\n"
