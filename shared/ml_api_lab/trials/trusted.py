"""What a run trusts: the course's checks and the lab itself, as they are before it begins.

Without isolation a submission has the rights of the user who runs it, and may write where the lab
and its checks lie. Three things take the use from that: all that the checks' side may import is
imported before the first submission runs; what has changed there when the run ends is told, and
compiled files are removed; and the header has a digest of what was trusted, to be compared with
that of another run.
"""

from __future__ import annotations

import codecs
import hashlib
import importlib
import os
import pickle  # noqa: F401 - models are laid out with it
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from ml_api_lab.protocol.confinement import Tier

_PACKAGE = Path(__file__).resolve().parents[1]

_ALWAYS = (
    "ml_api_lab.grading.card",
    "ml_api_lab.grading.reports",
    "ml_api_lab.sandbox.models",
    "ml_api_lab.sandbox.real_process",
    "ml_api_lab.sandbox.http_client",
)
_OF_IMAGES = ("ml_api_lab.images.dockerfile", "ml_api_lab.images.layout")
"""What a task's handle loads when a check asks for it; those of images if a check may."""

_ENCODINGS = ("utf-8-sig", "utf-16", "idna", "latin-1", "unicode-escape")

_DIGEST_CHARACTERS = 10
_COMPILED = ".pyc"
_CUSTOMIZE = ("sitecustomize.py", "usercustomize.py")
_MAX_NAMES_TOLD = 3

State = tuple[int, int, int]
"""Of a file: when it was changed (twice, as file systems count), and how large it is."""


def load() -> None:
    """Import what the checks' side may need for the checks that have been collected."""
    names = [*_ALWAYS]
    if "ml_api_lab.images.image" in sys.modules:
        names += _OF_IMAGES
    for name in names:
        importlib.import_module(name)
    for encoding in _ENCODINGS:
        codecs.lookup(encoding)


def digest(course: Path) -> str:
    """Return a short digest of the lab and of the course's checks and settings, as they are now."""
    found = hashlib.blake2b(digest_size=16)
    for root, path in _files(course):
        if not _is_compiled(path):
            name = path[len(root) + 1 :].replace(os.sep, "/")
            with open(path, "rb", buffering=0) as file:
                content = file.read()
            found.update(f"{name}\0{len(content)}\0".encode(errors="surrogateescape"))
            found.update(content)
    return found.hexdigest()[:_DIGEST_CHARACTERS]


class Watch:
    """Sees what of the trusted files is changed between its beginning and its end.

    In a tier of isolation the kernel lets no submission write to them, and nothing is looked at.
    """

    def __init__(self, course: Path, tier: Tier) -> None:
        self._course = course
        self._is_needed = tier == "none"
        self._before = self._states()

    def changes(self) -> list[str]:
        """Return the files that are new, changed or gone; compiled ones are removed.

        All that is trusted was loaded before: nobody has compiled it since for a good reason, or
        another run has, and it will be compiled again.
        """
        now = self._states()
        both = {**self._before, **now}
        changed = [path for path in both if self._before.get(path) != now.get(path)]
        for path in changed:
            if _is_compiled(path):
                Path(path).unlink(missing_ok=True)
        sources = (Path(path) for path in changed if not _is_compiled(path))
        return sorted(map(self._shown, sources))

    def _states(self) -> dict[str, State]:
        found: dict[str, State] = {}
        if not self._is_needed:
            return found
        for path in [*(path for _, path in _files(self._course)), *_files_of_environment()]:
            try:
                state = os.lstat(path)
            except OSError:
                continue
            found[path] = (state.st_mtime_ns, state.st_ctime_ns, state.st_size)
        return found

    def _shown(self, path: Path) -> str:
        if path.is_relative_to(self._course):
            return path.relative_to(self._course).as_posix()
        return path.name


def sentence(changes: list[str]) -> str:
    """Return what to tell of changed files."""
    more = len(changes) - _MAX_NAMES_TOLD
    names = ", ".join(changes[:_MAX_NAMES_TOLD]) + (f" and {more} more" if more > 0 else "")
    return (
        f"While the run was at work, files changed that it trusts: {names}. Unless it was you, the "
        "next run is not to be relied on; get them anew."
    )


def _is_compiled(path: str) -> bool:
    """Whether Python has written it, or does just now, under a name that lasts for a moment."""
    return path.endswith(_COMPILED) or f"{os.sep}__pycache__{os.sep}" in path


def _files(course: Path) -> Iterator[tuple[str, str]]:
    """Yield the trusted files, each with the folder from which it is named.

    As texts, not as `Path`: some hundred files are looked at three times in each run.
    """
    for name in ("pyproject.toml", "conftest.py", "pytest.ini", "tox.ini"):
        if (course / name).is_file():
            yield str(course), str(course / name)
    for root in (str(course / "checks"), str(_PACKAGE)):
        for folder, folders, names in os.walk(root):
            folders.sort()
            for name in sorted(names):
                yield root, os.path.join(folder, name)


def _files_of_environment() -> Iterator[str]:
    """Yield the files that Python runs when it starts."""
    for kind in ("purelib", "platlib"):
        folder = sysconfig.get_path(kind)
        if os.path.isdir(folder):
            for name in os.listdir(folder):
                if name.endswith(".pth") or name in _CUSTOMIZE:
                    yield os.path.join(folder, name)
