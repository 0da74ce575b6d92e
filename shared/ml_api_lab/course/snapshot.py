"""A state of a task's folder: its files as they were at one moment."""

from __future__ import annotations

import base64
import fnmatch
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from ml_api_lab.errors import LabError

FORMAT = 1

LAB_FOLDER = ".lab"
"""The folder of a course in which the lab keeps what it remembers of a student's work."""

_NOT_WRITTEN_BY_HAND = ("*.pkl", "*.pyc", "predictions.jsonl", ".new-*")
"""What running a task leaves in its folder. It is neither kept nor touched."""

_FOLDERS_LEFT_OUT = {"__pycache__", ".git", ".venv", "venv", "node_modules", LAB_FOLDER}
_MAX_FILE_BYTES = 2**20
_MAX_FILES = 500


class SnapshotError(LabError):
    """A state cannot be kept, or cannot be brought back; nothing was lost."""


@dataclass(frozen=True)
class File:
    """A file's bytes, and whether it may be run."""

    data: bytes
    executable: bool = False


@dataclass(frozen=True)
class Snapshot:
    """The files of a folder by their relative paths, and its links with their targets.

    Attributes:
        left_out: what is there and is not part of the state, and why.
    """

    files: Mapping[str, File]
    links: Mapping[str, str] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def id(self) -> str:
        """What it is known by: a digest of all that it holds."""
        return hashlib.sha256(self.dump()).hexdigest()

    @property
    def names(self) -> list[str]:
        return sorted([*self.files, *self.links])

    def dump(self) -> bytes:
        """Return it as JSON, the same bytes for the same state."""
        files = {name: _file_as_json(each) for name, each in self.files.items()}
        content = {"format": FORMAT, "files": files, "links": dict(self.links)}
        text = json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True)
        # A file's name need not be text, and Python then has surrogates in it.
        return f"{text}\n".encode("utf-8", "surrogatepass")

    @staticmethod
    def load(data: bytes) -> Snapshot:
        """Return the state that was dumped so.

        Raises:
            SnapshotError: no state was.
        """
        try:
            content = json.loads(data.decode("utf-8", "surrogatepass"))
            if content["format"] != FORMAT:
                raise ValueError(f"its format is {content['format']}, not {FORMAT}")
            files = {name: _file_of_json(each) for name, each in content["files"].items()}
            return Snapshot(files, content["links"])
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise SnapshotError(f"A kept state is damaged: {error}.") from error

    @staticmethod
    def of_texts(texts: Mapping[str, str]) -> Snapshot:
        """Return the state of files with these texts."""
        return Snapshot({name: File(text.encode()) for name, text in texts.items()})

    @staticmethod
    def read(folder: Path) -> Snapshot:
        """Read the state of a folder; a folder that is not there holds nothing.

        Raises:
            SnapshotError: it holds far more than a task does, or cannot be listed.
        """
        files: dict[str, File] = {}
        links: dict[str, str] = {}
        left_out: dict[str, str] = {}
        try:
            for entry, name in _entries(folder):
                if len(files) + len(links) >= _MAX_FILES:
                    raise SnapshotError(f"{folder} holds more than {_MAX_FILES} files.")
                if entry.is_symlink():
                    links[name] = os.readlink(entry.path)
                elif not entry.is_file():
                    left_out[name] = "is not a plain file"
                elif entry.stat().st_size > _MAX_FILE_BYTES:
                    left_out[name] = f"has more than {_MAX_FILE_BYTES // 2**20} MB"
                else:
                    try:
                        data = Path(entry.path).read_bytes()
                    except OSError as error:
                        left_out[name] = f"cannot be read ({error.strerror})"
                    else:
                        files[name] = File(data, is_executable(entry.stat().st_mode))
        except OSError as error:
            raise SnapshotError(f"{folder} cannot be read ({error.strerror}).") from error
        return Snapshot(files, links, left_out)

    def differing(self, other: Snapshot) -> list[str]:
        """Return the names of what is in one of the two only, or not the same in both."""
        names = {*self.names, *other.names}
        return sorted(name for name in names if self.get(name) != other.get(name))

    def get(self, name: str) -> File | str | None:
        """Return the file of that name, or the target of the link; None if there is neither."""
        return self.files.get(name) or self.links.get(name)


def _entries(folder: Path) -> list[tuple[os.DirEntry[str], str]]:
    """Return all that is in a folder and may be part of its state, with relative paths."""
    found = []
    unseen = [""] if folder.is_dir() else []
    while unseen:
        inner = unseen.pop()
        for entry in os.scandir(folder / inner):
            name = f"{inner}/{entry.name}" if inner else entry.name
            if entry.is_dir(follow_symlinks=False):
                marker = os.path.join(entry.path, "pyvenv.cfg")
                if entry.name not in _FOLDERS_LEFT_OUT and not os.path.exists(marker):
                    unseen.append(name)
            elif not any(fnmatch.fnmatch(entry.name, each) for each in _NOT_WRITTEN_BY_HAND):
                found.append((entry, name))
    return found


def is_executable(mode: int) -> bool:
    """Whether a file with that mode may be run; on Windows none is told apart."""
    return os.name == "posix" and bool(mode & 0o100)


def _file_as_json(file: File) -> dict[str, Any]:
    entry: dict[str, Any] = {"executable": True} if file.executable else {}
    try:
        entry["text"] = file.data.decode("utf-8")
    except UnicodeDecodeError:
        entry["base64"] = base64.b64encode(file.data).decode()
    return entry


def _file_of_json(entry: Mapping[str, Any]) -> File:
    data = entry["text"].encode() if "text" in entry else base64.b64decode(entry["base64"])
    return File(data, entry.get("executable", False))
