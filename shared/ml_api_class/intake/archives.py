"""Unpacking archives that strangers made: nothing outside the folder, no links, no floods."""

from __future__ import annotations

import shutil
import stat
import tarfile
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO

from ml_api_class.errors import UnreadableSource

ZIPS = (".zip",)
TARS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
REFUSED = (".rar", ".7z")
"""Kinds that Python cannot read: they are named, and not passed over in silence."""

MAX_FILES = 20_000
MAX_BYTES = 300 * 2**20
"""How much all archives of one submission may hold together, unpacked."""

_MAX_NAME = 1_000
_CHUNK = 2**20
_LEFT_OUT = {
    "__MACOSX", "__pycache__", ".git", ".hg", ".svn", ".venv", "venv", "env", "node_modules",
    ".idea", ".vscode", ".pytest_cache", ".mypy_cache", ".ruff_cache",
}  # fmt: skip
_MAX_NOTES = 20
_ENCRYPTED = 0x1
_UTF8 = 0x800


@dataclass
class Allowance:
    """How much may still be unpacked for one submission, and what was left out so far."""

    files: int = MAX_FILES
    bytes: int = MAX_BYTES
    notes: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        """Remember what was left out; no more than a few of it."""
        if len(self.notes) < _MAX_NOTES:
            self.notes.append(text)


def is_archive(path: Path) -> bool:
    """Whether a file's name is that of an archive, also of a kind that is refused."""
    return path.is_file() and path.name.lower().endswith((*ZIPS, *TARS, *REFUSED))


def stem_of(path: Path) -> str:
    """Return an archive's name without its ending."""
    for ending in sorted((*ZIPS, *TARS, *REFUSED), key=len, reverse=True):
        if path.name.lower().endswith(ending):
            return path.name[: -len(ending)] or path.name
    return path.name


def unpack(archive: Path, target: Path, allowance: Allowance) -> None:
    """Unpack an archive into a folder, which is made.

    Args:
        allowance: how much it may hold; what it holds is taken from it.

    Raises:
        UnreadableSource: it is damaged, encrypted, too large, or of a kind that is refused.
    """
    name = archive.name
    lower = name.lower()
    if lower.endswith(REFUSED):
        raise UnreadableSource(
            f"{name} is an archive of a kind that is not read; ask for a .zip or .tar.gz."
        )
    target.mkdir(parents=True, exist_ok=True)
    members = _zip_members if lower.endswith(ZIPS) else _tar_members
    try:
        for place, source, executable in members(archive, allowance):
            _write(target, place, source, allowance, name, executable=executable)
    except (
        zipfile.BadZipFile,
        tarfile.TarError,
        zlib.error,
        EOFError,
        NotImplementedError,
        RuntimeError,
        ValueError,
    ) as error:
        raise UnreadableSource(f"{name} is damaged ({error}).") from error
    except OSError as error:
        raise UnreadableSource(f"{name} cannot be read ({error.strerror or error}).") from error


_Member = tuple[PurePosixPath, IO[bytes] | None, bool]
"""Where to write it, what to write (None for a folder), and whether it may be run."""


def _zip_members(archive: Path, allowance: Allowance) -> Iterator[_Member]:
    with zipfile.ZipFile(archive) as opened:
        for info in opened.infolist():
            name = _name_of(info)
            mode = info.external_attr >> 16
            if stat.S_ISLNK(mode) or (stat.S_IFMT(mode) and not _is_plain(mode)):
                allowance.note(f"{archive.name}: {name} is no plain file; it was left out.")
                continue
            if (place := _place(name, archive.name, allowance)) is None:
                continue
            if info.is_dir():
                yield place, None, False
            elif info.flag_bits & _ENCRYPTED:
                raise UnreadableSource(
                    f"{archive.name} is encrypted; ask for it without a password."
                )
            else:
                with opened.open(info) as source:
                    yield place, source, bool(mode & 0o100)


def _tar_members(archive: Path, allowance: Allowance) -> Iterator[_Member]:
    with tarfile.open(archive, "r:*", errors="surrogateescape") as opened:
        for info in opened:
            if not info.isfile() and not info.isdir():
                allowance.note(f"{archive.name}: {info.name} is no plain file; it was left out.")
                continue
            name = _readable(info.name)
            if (place := _place(name, archive.name, allowance)) is None:
                continue
            if info.isdir():
                yield place, None, False
                continue
            source = opened.extractfile(info)
            assert source is not None
            with source:
                yield place, source, bool(info.mode & 0o100)


def _is_plain(mode: int) -> bool:
    return stat.S_ISREG(mode) or stat.S_ISDIR(mode)


def _name_of(info: zipfile.ZipInfo) -> str:
    """Return a member's name; without the mark for UTF-8 it is often that all the same."""
    if info.flag_bits & _UTF8:
        return info.filename
    try:
        return info.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return info.filename


def _readable(name: str) -> str:
    """Return a name whose bytes are no UTF-8 as Latin-1."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return name.encode("utf-8", "surrogateescape").decode("latin-1")
    return name


def _place(name: str, archive: str, allowance: Allowance) -> PurePosixPath | None:
    """Return where a member goes; None if it leads outside, or is no work of a student's."""
    path = PurePosixPath(unicodedata.normalize("NFC", name.replace("\\", "/")))
    parts = [part for part in path.parts if part != "."]
    if (
        path.is_absolute()
        or ".." in parts
        or "\0" in name
        or len(name) > _MAX_NAME
        or any(":" in part for part in parts[:1])
    ):
        allowance.note(f"{archive}: {name[:100]!r} leads out of the archive; it was left out.")
        return None
    if not parts or _LEFT_OUT.intersection(parts) or parts[-1] in (".DS_Store", "Thumbs.db"):
        return None
    return PurePosixPath(*parts)


def _write(
    target: Path,
    place: PurePosixPath,
    source: IO[bytes] | None,
    allowance: Allowance,
    archive: str,
    *,
    executable: bool,
) -> None:
    allowance.files -= 1
    if allowance.files < 0:
        raise UnreadableSource(f"{archive} holds more than {MAX_FILES} files.")
    path = target / place
    if source is None:
        path.mkdir(parents=True, exist_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    # A member of the same name comes later and counts, as for every program that unpacks.
    with path.open("wb") as file:
        while data := source.read(_CHUNK):
            allowance.bytes -= len(data)
            if allowance.bytes < 0:
                file.close()
                shutil.rmtree(target, ignore_errors=True)
                raise UnreadableSource(
                    f"{archive} holds more than {MAX_BYTES // 2**20} MB, unpacked."
                )
            file.write(data)
    if executable:
        path.chmod(0o755)
