"""The folder `.lab` of a course: what the lab remembers of a student's work."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from ml_api_lab.course.snapshot import LAB_FOLDER


def lab_folder(course: Path) -> Path:
    """Return where a course's `.lab` is, or would be."""
    return course / LAB_FOLDER


def make(folder: Path, *inside: str) -> Path:
    """Make `.lab` (for its owner alone, ignored by git) and a folder in it; return that one.

    Raises:
        OSError: it cannot be made.
    """
    if not folder.is_dir():
        folder.mkdir(mode=0o700, exist_ok=True)
    ignore = folder / ".gitignore"
    if not ignore.exists():
        folder.chmod(0o700)  # whatever the umask, or whoever has made it: `.env` files are kept
        write(folder, ignore, b"*\n")
    for name in inside:
        folder /= name
        folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def write(
    folder: Path, path: Path, data: bytes, *, mode: int = 0o600, durable: bool = True
) -> None:
    """Write a file that appears whole or not at all.

    Args:
        folder: `.lab`, in which the file is prepared.
        mode: the permissions of a new file, less what the umask takes; one that is replaced keeps
            its own.
        durable: whether it is to be there after a loss of power as well, which takes a while.

    Raises:
        OSError: it cannot be written.
    """
    _put(folder, path, lambda prepared: _prepare(prepared, path, data, mode, durable))


def link(folder: Path, path: Path, target: str) -> None:
    """Make a link that appears at once, in place of what is there.

    Raises:
        OSError: it cannot be made.
    """
    _put(folder, path, lambda prepared: os.symlink(target, prepared))


def _put(folder: Path, path: Path, prepare: Callable[[Path], None]) -> None:
    """Prepare something in `.lab`, and put it into its place."""
    prepared = folder / f"new-{os.urandom(8).hex()}"
    try:
        prepare(prepared)
        try:
            os.replace(prepared, path)
        except OSError:
            if path.is_dir():
                raise
            # Another file system: it is prepared there, under a name that no task's file has.
            beside = path.with_name(f".{prepared.name}")
            prepare(beside)
            os.replace(beside, path)
    finally:
        prepared.unlink(missing_ok=True)


def _prepare(prepared: Path, path: Path, data: bytes, mode: int, durable: bool) -> None:
    with open(prepared, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
        file.write(data)
        if durable:
            file.flush()
            os.fsync(file.fileno())
    if path.is_file() and not path.is_symlink():
        before = path.stat().st_mode & 0o666
        prepared.chmod(before | (prepared.stat().st_mode & 0o111))
