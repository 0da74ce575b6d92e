"""What is in a task's folder, before any of it is copied: no link out of the tree is followed."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

_IGNORED_NAMES = {"__pycache__", ".git", ".venv", "venv", "node_modules"}
_VENV_MARKER = "pyvenv.cfg"
"""The file by which a virtual environment is known, whatever its name."""

_MAX_FILES = 5_000
_MAX_BYTES = 100 * 2**20
"""How much a task's folder may hold: it is copied for each check."""

LEADS_OUT = "is a link that leads out of the tree"


@dataclass
class FolderContents:
    """What is in a folder, by paths relative to it.

    Attributes:
        sources: where each file is read, from the tree's root: links to files may lead elsewhere.
        links: links to folders of the folder itself, and where they lead, relative to their place.
        unusable: what is no plain file and no folder, or cannot be read, and why.
        size: of all files together, in bytes.
    """

    folders: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    sources: dict[str, str] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    unusable: dict[str, str] = field(default_factory=dict)
    size: int = 0

    @property
    def excess(self) -> str | None:
        if len(self.folders) + len(self.files) > _MAX_FILES:
            return f"more than {_MAX_FILES} files"
        return f"more than {_MAX_BYTES // 2**20} MB" if self.size > _MAX_BYTES else None


def survey(original: Path, root: Path) -> FolderContents:
    """Look through a folder, no further than `excess` of it; read nothing.

    Args:
        original: the folder, without links.
        root: the tree that it is in; no link out of it is followed.

    Raises:
        OSError: it cannot be listed.
    """
    found = FolderContents()
    # Each with where it really is: a link may lead into another folder of the tree.
    unseen = [("", original)]
    while unseen:
        folder, place = unseen.pop()
        try:
            entries = list(os.scandir(place))
        except OSError as error:
            if not folder:
                raise
            found.unusable[folder] = f"cannot be read ({error.strerror})"
            continue
        for entry in entries:
            if found.excess:
                return found
            name = f"{folder}/{entry.name}" if folder else entry.name
            if entry.name in _IGNORED_NAMES:
                continue
            try:
                if (inner := _record_entry(entry, name, found, original, root)) is not None:
                    unseen.append((name, inner))
            except OSError as error:  # a link that leads to itself, or where nobody may look
                found.unusable[name] = f"cannot be read ({error.strerror})"
    return found


def _record_entry(
    entry: os.DirEntry[str], name: str, found: FolderContents, original: Path, root: Path
) -> Path | None:
    """Note what that is; return where it is if it is a folder to look through."""
    place = Path(entry.path)
    if entry.is_symlink():
        if not _leads_somewhere(entry):
            found.unusable[name] = "is not a plain file"
            return None
        place = Path(os.path.realpath(entry.path))
        if not place.is_relative_to(root):
            found.unusable[name] = LEADS_OUT
            return None
        # Not followed where it leads back: twice would double what there is at every level.
        is_inside = place.is_relative_to(original) or original.is_relative_to(place)
        if entry.is_dir() and is_inside:
            if place.is_relative_to(original):
                above = (original / name).parent
                found.links[name] = os.path.relpath(place, above)
            return None
        if entry.is_dir() and Path(entry.path) != original / name:
            found.unusable[name] = "is a link in a folder that was itself linked to"
            return None
    if entry.is_dir():
        if not os.path.exists(place / _VENV_MARKER):
            found.folders.append(name)
            return place
    elif entry.is_file():
        found.files.append(name)
        found.sources[name] = place.relative_to(root).as_posix()
        found.size += entry.stat().st_size
    else:
        found.unusable[name] = "is not a plain file"
    return None


def _leads_somewhere(link: os.DirEntry[str]) -> bool:
    """Whether there is something where it leads.

    Raises:
        OSError: it leads to itself, or where nobody may look.
    """
    try:
        link.stat()
    except FileNotFoundError:
        return False
    return True
