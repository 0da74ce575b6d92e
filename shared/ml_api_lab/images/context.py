"""A build context: what `docker build` may see of a folder."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Iterator
from pathlib import Path

from ml_api_lab.errors import SubmissionFault
from ml_api_lab.images.ignore import IgnoreRules, line_that_brings_back
from ml_api_lab.sandbox.files.plain_file import read_plain

_IGNORE_FILES = ("Dockerfile.dockerignore", ".dockerignore")
_MAX_IGNORE_BYTES = 64_000

_MAX_COMPARISONS = 200_000
"""How many names the patterns of a Dockerfile may be compared with, all together."""


class Context:
    """The plain files of a folder that its `.dockerignore` leaves in; links are left out.

    Attributes:
        files: their paths from the root, with slashes, and where they are.
        folders: the folders that are left in, "" being the root.
        ignore_file: the name of the file that says what is left out, "" if there is none.
    """

    def __init__(self, folder: Path) -> None:
        """Read the folder.

        Raises:
            SubmissionFault: the `.dockerignore` cannot be read.
        """
        self._folder = folder
        self.files: dict[str, Path] = {}
        self.folders = {""}
        self._comparisons = 0
        self.ignore_file = ""
        self._ignore_lines: list[str] = []
        self._ignored = self._rules()
        try:
            for name, is_folder in sorted(_entries(folder)):
                if self._ignored.matches(name):
                    continue
                if is_folder:
                    self.folders.add(name)
                else:
                    self.files[name] = folder / name
                    self.folders.update(p.as_posix() for p in Path(name).parents if p.name)
        except ValueError as error:
            raise SubmissionFault(f"{self.ignore_file} cannot be used: {error}.") from None

    def _rules(self) -> IgnoreRules:
        for name in _IGNORE_FILES:
            try:
                data = read_plain(self._folder, name, _MAX_IGNORE_BYTES)
            except OSError:
                continue
            if data is None:
                raise SubmissionFault(f"{name} is larger than any such file needs to be.")
            try:
                lines = data.decode("utf-8-sig").splitlines()
                self.ignore_file, self._ignore_lines = name, lines
                return IgnoreRules(lines)
            except UnicodeDecodeError:
                raise SubmissionFault(f"{name} is not UTF-8 text.") from None
            except ValueError as error:
                raise SubmissionFault(f"Docker would refuse {name}: {error}.") from None
        return IgnoreRules([])

    def content(self, name: str, limit: int) -> bytes:
        """Return what is in one of its files; nothing if that is too much, or it is gone.

        Args:
            limit: how many bytes it may have.
        """
        try:
            return read_plain(self._folder, name, limit) or b""
        except OSError:
            return b""

    def ignores(self, name: str) -> bool:
        """Whether that path is there but left out."""
        try:
            return (self._folder / name).exists() and self._ignored.matches(name)
        except (OSError, ValueError):  # no path at all, or no time to tell
            return False

    def line_that_brings_back(self, name: str) -> tuple[int, str] | None:
        """Return the line of the `.dockerignore` that lets in what one before leaves out.

        Returns:
            Its number and its text; None if no line leaves that path out.
        """
        try:
            number = line_that_brings_back(self._ignore_lines, name)
        except ValueError:  # no time to tell
            return None
        return None if number is None else (number, self._ignore_lines[number - 1].strip())

    def match(self, pattern: str) -> list[str]:
        """Return the files and folders that a source of `COPY` names, sorted.

        `*`, `?` and `[...]` match within one part of a path; `**` only means more with
        `COPY --parents`, where it stands for any number of folders.
        """
        if not re.search(r"[*?\[]", pattern):
            return [pattern] if pattern in self.files or pattern in self.folders else []
        names = [*self.files, *self.folders]
        self._comparisons += len(names)
        if self._comparisons > _MAX_COMPARISONS:
            raise SubmissionFault("The Dockerfile has more patterns than can be compared.")
        *folders, last = pattern.split("/")
        parts = [*map(_part, folders), _part(last.replace("**", "*"))]
        return sorted(name for name in names if name and _fits(name.split("/"), parts))


def _entries(root: Path) -> Iterator[tuple[str, bool]]:
    """Yield the paths of all files and folders, and whether each is a folder; links are neither."""
    waiting = [""]
    while waiting:
        folder = waiting.pop()
        try:
            entries = list(os.scandir(root / folder))
        except OSError:
            continue
        for entry in entries:
            name = f"{folder}/{entry.name}" if folder else entry.name
            if entry.is_dir(follow_symlinks=False):
                waiting.append(name)
                yield name, True
            elif entry.is_file(follow_symlinks=False):
                yield name, False


def _part(pattern: str) -> re.Pattern[str] | None:
    """Return what a part of a path must match; None for any number of folders."""
    if pattern == "**":
        return None
    # In the words of fnmatch, whose expressions never try the same twice, however many the stars.
    plain = re.sub(r"\\([*?\[])", r"[\1]", pattern)
    plain = re.sub(r"\\(.)", r"\1", plain).replace("[^", "[!")
    return re.compile(fnmatch.translate(plain))


def _fits(names: list[str], parts: list[re.Pattern[str] | None]) -> bool:
    taken = {0}  # how many of the names the parts so far can account for
    for part in parts:
        if part is None:
            taken = set(range(min(taken), len(names)))
        else:
            taken = {n + 1 for n in taken if n < len(names) and part.match(names[n])}
        if not taken:
            return False
    return len(names) in taken
