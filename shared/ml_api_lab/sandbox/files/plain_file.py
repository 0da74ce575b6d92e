"""Opening files below a folder that a submission may change at the same time.

No link is followed on the way, neither in place of a folder nor of the file, and only a plain file
is opened: the checks read and write with their own rights, and a link, a pipe or a device would
have them read a secret, wait for ever, or overwrite what is not the submission's.
"""

from __future__ import annotations

import errno
import os
import posixpath
import secrets
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

_HAS_FOLDER_DESCRIPTORS = os.open in os.supports_dir_fd and hasattr(os, "O_DIRECTORY")
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
_CLOSE_ON_EXEC = getattr(os, "O_CLOEXEC", 0)
_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


def open_plain(root: Path, name: str) -> BinaryIO:
    """Open a file below a folder to be read.

    Args:
        name: its path from there, with slashes.

    Raises:
        OSError: it is not there, a link is on the way, or it is no plain file.
    """
    *folders, last = _parts(name)
    with _folder(root, folders) as place:
        number = place.open(last, _READ)
    file = open(number, "rb")
    if not stat.S_ISREG(os.fstat(number).st_mode):
        file.close()
        raise OSError(errno.EINVAL, "not a plain file", name)
    return file


def read_plain(root: Path, name: str, limit: int) -> bytes | None:
    """Return what is in a file below a folder; None if that is more than so many bytes.

    Raises:
        OSError: it cannot be opened as a plain file.
    """
    with open_plain(root, name) as file:
        if os.fstat(file.fileno()).st_size > limit:
            return None
        data = file.read(limit + 1)
    return data if len(data) <= limit else None


def write_plain(root: Path, name: str, data: bytes) -> None:
    """Write a file below a folder, in the place of whatever has that name, and its folders.

    Raises:
        OSError: a link is in the place of a folder, or a folder in that of the file.
    """
    *folders, last = _parts(name)
    draft = f".{last[:40]}.{secrets.token_hex(4)}"
    with _folder(root, folders, make=True) as place:
        with open(place.open(draft, _CREATE, 0o666), "wb") as file:
            file.write(data)
        try:
            place.replace(draft, last)
        except OSError:
            place.unlink(draft)
            raise


def plain_files(root: Path, max_files: int) -> Iterator[str]:
    """Yield the paths of the plain files below a folder; follow no link.

    Raises:
        OSError: there are more files and folders than so many, so that some were not looked at.
    """
    for name, entry in entries_below(root, max_files):
        if entry.is_file(follow_symlinks=False):
            yield name


def entries_below(root: Path, most: int) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Yield all that is below a folder, each with its path from there; follow no link.

    Raises:
        OSError: there is more than so much, so that some was not looked at.
    """
    left = most
    waiting = [""]
    while waiting:
        folder = waiting.pop()
        try:
            entries = list(os.scandir(root / folder))
        except OSError:  # gone, or closed to everybody
            continue
        for entry in entries:
            left -= 1
            if left < 0:
                raise OSError(errno.E2BIG, "too many files", str(root))
            name = f"{folder}/{entry.name}" if folder else entry.name
            if entry.is_dir(follow_symlinks=False):
                waiting.append(name)
            yield name, entry


def _parts(name: str) -> list[str]:
    parts = posixpath.normpath(name).split("/")
    if ".." in parts or posixpath.isabs(name):
        raise OSError(errno.EACCES, "outside the folder", name)
    return parts


class _Place:
    """A folder in which files are opened by their names: by its descriptor, or else its path."""

    def __init__(self, number: int | None, path: Path) -> None:
        self._number = number
        self._path = path

    def open(self, name: str, flags: int, mode: int = 0o777) -> int:
        if self._number is not None:
            return os.open(name, flags | _NO_FOLLOW | _CLOSE_ON_EXEC, mode, dir_fd=self._number)
        if (self._path / name).is_symlink():
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), name)
        return os.open(self._path / name, flags, mode)

    def replace(self, draft: str, name: str) -> None:
        if self._number is not None:
            os.replace(draft, name, src_dir_fd=self._number, dst_dir_fd=self._number)
        else:
            os.replace(self._path / draft, self._path / name)

    def unlink(self, name: str) -> None:
        if self._number is not None:
            os.unlink(name, dir_fd=self._number)
        else:
            os.unlink(self._path / name)


@contextmanager
def _folder(root: Path, folders: Sequence[str], *, make: bool = False) -> Iterator[_Place]:
    """Give the folder at the end of these folders, each opened from the one before."""
    if not _HAS_FOLDER_DESCRIPTORS:
        path = root
        for each in folders:
            path /= each
            if path.is_symlink():
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
            if make:
                path.mkdir(exist_ok=True)
        yield _Place(None, path)
        return
    flags = os.O_RDONLY | os.O_DIRECTORY | _CLOSE_ON_EXEC
    number = os.open(root, flags)
    try:
        for each in folders:
            if make:
                try:
                    os.mkdir(each, dir_fd=number)
                except FileExistsError:
                    pass
            inner = os.open(each, flags | _NO_FOLLOW, dir_fd=number)
            os.close(number)
            number = inner
        yield _Place(number, root)
    finally:
        os.close(number)
