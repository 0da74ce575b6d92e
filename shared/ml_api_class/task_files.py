"""The files of one task of one submission, as they are carried, kept and compared.

They hold all that the lab would copy from a student's folder, and nothing else: the same paths, the
same bytes, whether a file may be run. Links are resolved where they lead to a file of the same
tree, and refused elsewhere.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from ml_api_lab.course.snapshot import File, is_executable
from ml_api_lab.sandbox.files.folder_contents import survey
from ml_api_lab.sandbox.files.plain_file import open_plain

_FORMAT = 1
_MAX_NAMES_BESIDE = 40


@dataclass(frozen=True)
class TaskFiles:
    """One task's files.

    Attributes:
        files: by their paths from the task's folder.
        folders: the folders, empty ones too, by their paths.
        beside: for a task that is missing, what the folders are called that are there.
        is_missing: whether there is no such folder.
        problem: why none of its checks can begin, in a sentence; "" if they can.
    """

    files: Mapping[str, File] = field(default_factory=dict)
    folders: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    is_missing: bool = False
    problem: str = ""

    @cached_property
    def digest(self) -> str:
        """What tells it from all others: a SHA-256 of all that it holds."""
        return hashlib.sha256(self._text).hexdigest()

    def pack(self) -> bytes:
        """Return it as bytes, the same for the same files."""
        return zlib.compress(self._text, 6)

    @staticmethod
    def unpack(packed: bytes) -> TaskFiles:
        """Return what was packed so.

        Raises:
            ValueError: nothing was.
        """
        content = json.loads(zlib.decompress(packed))
        if content["format"] != _FORMAT:
            raise ValueError(f"packed files have format {content['format']}, not {_FORMAT}")
        files = {
            name: File(base64.b64decode(data), executable=executable)
            for name, (executable, data) in content["files"].items()
        }
        return TaskFiles(
            files,
            tuple(content["folders"]),
            tuple(content["beside"]),
            content["missing"],
            content["problem"],
        )

    def write(self, root: Path, task: str) -> None:
        """Write them below a tree's folder, so that the lab finds what it would find there."""
        if self.is_missing:
            for name in self.beside:
                (root / name).mkdir(exist_ok=True)
            return
        folder = root / task
        folder.mkdir()
        for name in self.folders:
            (folder / name).mkdir(parents=True, exist_ok=True)
        for name, file in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.data)
            if file.executable:
                path.chmod(0o755)

    @cached_property
    def _text(self) -> bytes:
        content: dict[str, Any] = {
            "format": _FORMAT,
            "files": {
                name: [file.executable, base64.b64encode(file.data).decode()]
                for name, file in self.files.items()
            },
            "folders": sorted(self.folders),
            "beside": sorted(self.beside),
            "missing": self.is_missing,
            "problem": self.problem,
        }
        return json.dumps(content, sort_keys=True).encode()


def missing(root: Path | None, tasks: list[str]) -> TaskFiles:
    """Return the files of a task whose folder is not in that tree; None is for no tree at all."""
    names: list[str] = []
    if root is not None:
        for entry in os.scandir(root):
            if entry.is_dir(follow_symlinks=False) and entry.name not in tasks:
                names.append(entry.name)
    return TaskFiles(beside=tuple(sorted(names)[:_MAX_NAMES_BESIDE]), is_missing=True)


def read(folder: Path, root: Path, task: str) -> tuple[TaskFiles, list[str]]:
    """Read one task's folder.

    Args:
        root: the tree that it is in.

    Returns:
        its files, and what was left out of them, in sentences.
    """
    original, tree = folder.resolve(), root.resolve()
    if not original.is_relative_to(tree):
        problem = f"{task} is a link that leads out of the tree; put the folder itself there."
        return TaskFiles(problem=problem), [problem]
    try:
        contents = survey(original, tree)
    except OSError as error:
        problem = f"{task} cannot be read ({error.strerror or error})."
        return TaskFiles(problem=problem), [problem]
    if contents.excess:
        problem = (
            f"{task} holds {contents.excess}; leave nothing there but what belongs to the task."
        )
        return TaskFiles(problem=problem), [problem]
    notes = [f"{task}/{name} {why}." for name, why in contents.unusable.items()]
    notes += [
        f"{task}/{name} is a link to a folder, which is not followed." for name in contents.links
    ]
    files: dict[str, File] = {}
    for name in contents.files:
        try:
            with open_plain(tree, contents.sources[name]) as source:
                mode = os.fstat(source.fileno()).st_mode
                files[name] = File(source.read(), is_executable(mode))
        except OSError as error:
            notes.append(f"{task}/{name} cannot be read ({error.strerror or error}).")
    return TaskFiles(files, tuple(contents.folders)), notes
