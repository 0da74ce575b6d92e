"""Writing a state into a student's folder, file by file: each file is whole at any moment."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

from ml_api_lab.course.snapshot import File, Snapshot, SnapshotError, is_executable
from ml_api_lab.progress import folder as lab


def write_over(current: Snapshot, after: Snapshot, folder: Path, lab_folder: Path) -> None:
    """Bring a folder from its current state to another one.

    What the current state left out stays as it is.

    Args:
        lab_folder: where files are prepared.

    Raises:
        SnapshotError: something is in the way, or was changed by somebody else meanwhile; what has
            not been kept is still there.
    """
    changed = after.differing(current)
    for name in changed:
        if name in current.left_out:
            raise SnapshotError(f"{folder / name} {current.left_out[name]}; move it away first.")
    try:
        for name in (each for each in changed if after.get(each) is None):
            _require_unchanged(folder, name, current)
            (folder / name).unlink()
            _remove_empty_parents(folder, name)
        for name in (each for each in changed if after.get(each) is not None):
            _require_unchanged(folder, name, current)
            _write_one(after, folder / name, name, lab_folder)
    except OSError as error:
        raise SnapshotError(
            f"{error.filename or folder} cannot be written ({error.strerror})."
        ) from error


def _write_one(state: Snapshot, path: Path, name: str, lab_folder: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if name in state.links:
        lab.link(lab_folder, path, state.links[name])
    else:
        file = state.files[name]
        lab.write(lab_folder, path, file.data, mode=0o777 if file.executable else 0o666)


def _require_unchanged(folder: Path, name: str, current: Snapshot) -> None:
    """Look once more at what is about to be replaced.

    Raises:
        SnapshotError: it is no longer what was kept.
    """
    path = folder / name
    now: File | str | None = None
    if path.is_symlink():
        now = os.readlink(path)
    elif path.is_file():
        now = File(path.read_bytes(), is_executable(path.stat().st_mode))
    elif path.exists() and os.listdir(path):
        raise SnapshotError(f"{path} is a folder with something in it; move it away first.")
    elif path.exists():
        path.rmdir()
    if now != current.get(name):
        raise SnapshotError(f"{path} was changed meanwhile; give the command again.")


def _remove_empty_parents(folder: Path, name: str) -> None:
    for parent in PurePosixPath(name).parents:
        if str(parent) == "." or os.listdir(folder / parent):
            return
        (folder / parent).rmdir()
