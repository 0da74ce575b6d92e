"""A build context: what `docker build` may see of a folder."""

from __future__ import annotations

import fnmatch
import re
from pathlib import Path

from e2b_dockerfile_utils import PatternMatcher

from ml_api_lab.errors import SubmissionFault

_IGNORE_FILES = ("Dockerfile.dockerignore", ".dockerignore")


class Context:
    """The files of a folder that its `.dockerignore` leaves in.

    The patterns are Docker's, not git's: they are anchored at the folder's root, `*` does not
    cross a slash, `**` does, a pattern that matches a folder takes everything in it, and the last
    pattern that matches decides (`!` brings back).

    Attributes:
        files: their paths from the root, with slashes, and where they are.
        folders: the folders that are left in, "" being the root.
    """

    def __init__(self, folder: Path) -> None:
        """Read the folder.

        Raises:
            SubmissionFault: the `.dockerignore` cannot be read.
        """
        self._folder = folder
        self._ignored = PatternMatcher(self._patterns())
        self.files: dict[str, Path] = {}
        self.folders = {""}
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder).as_posix()
            if self._ignored.matches(name):
                continue
            if path.is_dir():
                self.folders.add(name)
            elif path.is_file():
                self.files[name] = path
                self.folders.update(p.as_posix() for p in Path(name).parents if p.name)

    def _patterns(self) -> list[str]:
        for name in _IGNORE_FILES:
            path = self._folder / name
            if path.is_file():
                try:
                    lines = path.read_text(encoding="utf-8-sig").splitlines()
                    PatternMatcher(lines)
                except UnicodeDecodeError:
                    raise SubmissionFault(f"{name} is not UTF-8 text.") from None
                except ValueError as error:
                    raise SubmissionFault(f"Docker would refuse {name}: {error}.") from None
                # Several in a row say the same as one, and would be tried in all ways.
                return [re.sub(r"(\*\*/)+", "**/", line) for line in lines]
        return []

    def ignores(self, name: str) -> bool:
        """Whether that path is there but left out."""
        return (self._folder / name).exists() and self._ignored.matches(name)

    def match(self, pattern: str) -> list[str]:
        """Return the files and folders that a source of `COPY` names, sorted.

        `*`, `?` and `[...]` match within one part of a path; `**` only means more with
        `COPY --parents`, where it stands for any number of folders.
        """
        names = [*self.files, *self.folders]
        if not re.search(r"[*?\[]", pattern):
            return [pattern] if pattern in names else []
        *folders, last = pattern.split("/")
        parts = [*map(_part, folders), _part(last.replace("**", "*"))]
        return sorted(name for name in names if name and _fits(name.split("/"), parts))


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
