"""Reading what one student handed in: archives are unpacked aside, and only tasks are taken."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ml_api_class import task_files
from ml_api_class.errors import UnreadableSource
from ml_api_class.intake.archives import Allowance, is_archive, stem_of, unpack
from ml_api_class.task_files import TaskFiles
from ml_api_lab.course.tree import find_task_folders

_NEVER_GRADED = ("checks", "solutions", "shared", "tests", "__MACOSX")
"""Folders of a whole repository that hold folders with the names of tasks, and no submission."""

_MAX_NESTED = 2
"""How deep an archive may lie in archives."""

_MAX_FINGERPRINT_FILES = 50_000
_LEFT_OUT = {"__pycache__", ".git", ".venv", "venv", "node_modules"}


@dataclass(frozen=True)
class Contents:
    """What one student handed in.

    Attributes:
        tasks: the files of each task of the course that was asked for, missing ones too.
        notes: what was left out, in sentences.
    """

    tasks: Mapping[str, TaskFiles]
    notes: tuple[str, ...] = field(default=())

    @property
    def found(self) -> list[str]:
        """The tasks that are there."""
        return [task for task, files in self.tasks.items() if not files.is_missing]


def fingerprint(sources: Sequence[Path]) -> str:
    """Return what changes when anything in these folders and archives does; reads no file."""
    found = hashlib.sha256()
    for number, source in enumerate(sources):
        for name, path in _walk(source):
            try:
                state = path.lstat()
            except OSError:
                continue
            told = (number, name, state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino)
            found.update(repr(told).encode())
    return found.hexdigest()


def _walk(source: Path) -> Iterator[tuple[str, Path]]:
    yield "", source
    if source.is_symlink() or not source.is_dir():
        return
    left = _MAX_FINGERPRINT_FILES
    for folder, folders, names in os.walk(source):
        folders[:] = sorted(each for each in folders if each not in _LEFT_OUT)
        for name in sorted([*names, *folders]):
            yield os.path.relpath(os.path.join(folder, name), source), Path(folder, name)
            left -= 1
            if left <= 0:
                return


def read(
    sources: Sequence[Path], tasks: list[str], wanted: Sequence[str], scratch: Path
) -> Contents:
    """Read a submission.

    Args:
        tasks: the names of all tasks of the course.
        wanted: those that are to be graded.
        scratch: where archives may be unpacked; nothing stays there.

    Raises:
        UnreadableSource: it cannot be read, or it is not clear where its tasks are.
    """
    allowance = Allowance()
    with _unpacked(sources, scratch, allowance) as root:
        places = _task_places(root, tasks, wanted)
        found: dict[str, TaskFiles] = {}
        notes = list(allowance.notes)
        trees = list(dict.fromkeys(tree for tree, _ in places.values()))
        for task in wanted:
            if task in places:
                tree, folder = places[task]
                found[task], more = task_files.read(folder, tree, task)
                notes += more
            else:
                found[task] = task_files.missing(trees[0] if trees else None, tasks)
    return Contents(found, tuple(notes))


@contextmanager
def _unpacked(sources: Sequence[Path], scratch: Path, allowance: Allowance) -> Iterator[Path]:
    """Give one folder with all that was handed in; archives are unpacked in a copy of it."""
    for source in sources:
        if source.is_symlink():
            raise UnreadableSource(f"{source.name} is a link, which is not followed.")
        if not source.exists():
            raise UnreadableSource(f"{source} is not there.")
    if len(sources) == 1 and sources[0].is_dir() and not _has_archives(sources[0]):
        yield sources[0]
        return
    folder = Path(tempfile.mkdtemp(prefix="submission-", dir=scratch))
    try:
        for source in sources:
            _take(source, folder, allowance)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _has_archives(folder: Path) -> bool:
    """Whether archives lie at the top of a folder, or of the one folder in it."""
    try:
        entries = list(folder.iterdir())
    except OSError as error:
        raise UnreadableSource(f"{folder.name} cannot be read ({error.strerror}).") from error
    if (inner := _only(entries)) is not None:
        return _has_archives(inner)
    return any(is_archive(each) for each in entries)


def _only(entries: Sequence[Path]) -> Path | None:
    """Return the folder that is all that there is."""
    if len(entries) == 1 and entries[0].is_dir() and not entries[0].is_symlink():
        return entries[0]
    return None


def _take(source: Path, folder: Path, allowance: Allowance) -> None:
    if is_archive(source):
        inner = folder / stem_of(source)
        unpack(source, inner, allowance)
        _unpack_nested(inner, allowance, _MAX_NESTED)
    elif source.is_file():
        shutil.copyfile(source, folder / source.name, follow_symlinks=False)
    else:
        inner = folder / source.name
        shutil.copytree(source, inner, symlinks=True, ignore=shutil.ignore_patterns(*_LEFT_OUT))
        _unpack_nested(inner, allowance, _MAX_NESTED)


def _unpack_nested(folder: Path, allowance: Allowance, depth: int) -> None:
    """Unpack the archives at the top of a folder, or of the one folder in it, beside them."""
    if depth == 0:
        return
    entries = sorted(folder.iterdir())
    if (only := _only(entries)) is not None:
        _unpack_nested(only, allowance, depth)
        return
    for path in entries:
        if path.is_symlink() or not is_archive(path):
            continue
        inner = path.with_name(stem_of(path))
        if inner.exists():
            allowance.note(f"{path.name} lies beside a folder of its name, which counts.")
            continue
        unpack(path, inner, allowance)
        path.unlink()
        _lift(inner)
        _unpack_nested(inner, allowance, depth - 1)


def _lift(folder: Path) -> None:
    """Have what is in `task_3_2/task_3_2` in `task_3_2`: the archive held the folder itself."""
    only = _only(list(folder.iterdir()))
    if only is not None and only.name == folder.name:
        aside = folder.with_name(f"{folder.name}.unpacked")
        folder.rename(aside)
        (aside / folder.name).rename(folder)
        aside.rmdir()


def _task_places(
    root: Path, tasks: list[str], wanted: Sequence[str]
) -> dict[str, tuple[Path, Path]]:
    """Return for each task that is there its tree and its folder.

    Raises:
        UnreadableSource: a task is there more than once.
    """
    try:
        trees = find_task_folders(root, tasks, never_in=_NEVER_GRADED)
    except OSError as error:
        raise UnreadableSource(f"{root.name} cannot be read ({error.strerror}).") from error
    places: dict[str, tuple[Path, Path]] = {}
    for tree in trees:
        for task in tasks:
            if not (tree / task).is_dir():
                continue
            if task in places:
                one, other = (each.relative_to(root) for each in (places[task][1], tree / task))
                raise UnreadableSource(f"It holds {task} more than once ({one} and {other}).")
            places[task] = tree, tree / task
    if not places and len(wanted) == 1 and (folder := _only_folder(root)) is not None:
        return {wanted[0]: (folder, folder)}
    return places


def _only_folder(root: Path) -> Path | None:
    """Return the folder, down from the root, that holds files of Python's, if it is one."""
    for _ in range(3):
        entries = [each for each in root.iterdir() if not each.name.startswith((".", "__"))]
        if any(each.suffix == ".py" or each.name == "Dockerfile" for each in entries):
            return root
        folders = [each for each in entries if each.is_dir() and not each.is_symlink()]
        if len(folders) != 1:
            return None
        root = folders[0]
    return None
