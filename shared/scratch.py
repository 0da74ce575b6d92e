"""A scratch copy of a task's folder, where a submission may write what it likes."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from shared.errors import HarnessError, SubmissionFault

_LEFT_OUT = shutil.ignore_patterns("__pycache__", ".git", ".venv", "venv", "node_modules")

_MEMORY = "/dev/shm"
"""The folder in memory that Linux has for what many processes need for a short time."""

_ROOM = 2**30
"""How much must be free there, in bytes: containers may have as little as 64 MB of it."""


def _place() -> str | None:
    """Return the folder in which to make scratch copies; None is where temporary files go.

    That is memory where there is enough of it, and TMPDIR asks for no other place: a run makes and
    removes hundreds of files, and a disk's file system (ext4) finds a free place for the next one
    the more slowly, the more have just been removed.
    """
    if "TMPDIR" in os.environ or not os.access(_MEMORY, os.W_OK | os.X_OK):
        return None
    there = os.statvfs(_MEMORY)
    fits = there.f_bavail * there.f_frsize >= _ROOM and not there.f_flag & os.ST_NOEXEC
    return _MEMORY if fits else None


class Scratch:
    """A copy of a folder, under its own name in a new temporary folder.

    Args:
        original: the folder to copy.
        name: what to call the copy.
        shown_as: how the original is called in messages.
    """

    def __init__(self, original: Path, name: str, shown_as: str) -> None:
        self._outer = Path(tempfile.mkdtemp(prefix="lab-", dir=_place())).resolve()
        self._original = original
        self._shown_as = shown_as
        self._problem: str | None = None
        self.folder = self._outer / "tree" / name
        self._refuse_foreign_settings()
        self._copy()

    def _refuse_foreign_settings(self) -> None:
        # python-dotenv looks for its file in every folder above the one that asks.
        for above in self._outer.parents:
            if (above / ".env").exists():
                self.close()
                raise HarnessError(
                    f"{above / '.env'} would be read by every submission; move it away, "
                    "or set TMPDIR to a folder with no .env above it."
                )

    def _copy(self) -> None:
        if not self._original.is_dir():
            kind = "a file, not a folder" if self._original.exists() else "missing"
            self._problem = f"{self._shown_as} is {kind}"
            self.folder.mkdir(parents=True)
            return
        try:
            shutil.copytree(self._original, self.folder, ignore=_LEFT_OUT)
        except (OSError, shutil.Error) as error:
            first = error.args[0][0] if isinstance(error, shutil.Error) else (self._original,)
            name = Path(str(first[0])).name
            self._problem = f"{self._shown_as} cannot be copied ({name} is not a plain file)"
            self.folder.mkdir(parents=True, exist_ok=True)

    def require(self, name: str) -> Path:
        """Return the path of a file of the submission.

        Raises:
            SubmissionFault: it has no such file.
        """
        if self._problem is not None:
            raise SubmissionFault(f"{self._problem}; bring it back from where you got the lab.")
        path = self.folder / name
        if path.is_dir():
            raise SubmissionFault(f"{self._shown_as}/{name} is a folder; it must be a file.")
        if not path.is_file():
            raise SubmissionFault(f"{self._shown_as}/{name} is missing.")
        return path

    def path(self, name: str) -> Path:
        """Return where that file is or would be; `..` leads to the folder beside it."""
        return self.folder / name

    def outside(self, name: str) -> Path:
        """Return a path that no submission would find by itself."""
        return self._outer / name

    def exists(self, name: str) -> bool:
        return self.path(name).exists()

    def text(self, name: str) -> str:
        """Return the text of a file of the submission.

        Raises:
            SubmissionFault: it is missing, or it is not UTF-8.
        """
        try:
            return self.require(name).read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            raise SubmissionFault(
                f"{self._shown_as}/{name} is not UTF-8 text (byte {error.start}); save it as UTF-8."
            ) from None

    def data(self, name: str) -> bytes:
        """Return what is in a file of the submission.

        Raises:
            SubmissionFault: it is missing.
        """
        return self.require(name).read_bytes()

    def write(self, name: str, content: str | bytes) -> Path:
        """Write a file, and the folders on the way to it."""
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""
        self.path(name).unlink(missing_ok=True)

    def names(self) -> list[str]:
        """Return the submission's files as relative paths, sorted."""
        found = (path for path in self.folder.rglob("*") if path.is_file())
        return sorted(path.relative_to(self.folder).as_posix() for path in found)

    def close(self) -> None:
        shutil.rmtree(self._outer, ignore_errors=True)
