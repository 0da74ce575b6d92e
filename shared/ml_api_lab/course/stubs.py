"""What was handed out: each task's stub, whether a folder is still as it was, where its work is.

A student's folder changes, and not everybody has git; so each task's stub is kept once more beside
its checks, in `checks/task_3_2/stub.json`. Authors write the file anew with `pytest
tests/course/test_stubs.py --update-stubs`, and that test holds it to `exercises`.
"""

from __future__ import annotations

import re
from pathlib import Path

from ml_api_lab.course.snapshot import Snapshot, SnapshotError
from ml_api_lab.errors import CourseError

_PLACEHOLDER = re.compile(rb"\bTODO\b|\braise NotImplementedError\b")


def path_of(course: Path, task: str) -> Path:
    """Return where a task's stub is kept."""
    return course / "checks" / task / "stub.json"


def read(course: Path, task: str) -> Snapshot:
    """Return the stub of a task.

    Raises:
        CourseError: the course keeps none, or it is damaged.
    """
    try:
        return Snapshot.load(path_of(course, task).read_bytes())
    except OSError as error:
        raise CourseError(
            f"checks/{task}/stub.json cannot be read ({error.strerror}); bring it back from where "
            "you got the lab."
        ) from error
    except SnapshotError as error:
        raise CourseError(f"checks/{task}/stub.json: {error}") from error


def write(course: Path, task: str) -> None:
    """Keep what is in `exercises` now as the stub of a task."""
    path_of(course, task).write_bytes(Snapshot.read(course / "exercises" / task).dump())


def is_untouched(course: Path, task: str, folder: Path) -> bool:
    """Return whether a task's folder holds what was handed out, and no other file.

    What running a task leaves there does not count. A course that keeps no stub has no untouched
    task.
    """
    try:
        stub, now = read(course, task), Snapshot.read(folder)
    except (CourseError, SnapshotError):
        return False
    # Git may have given the lines the ends that the system is used to.
    one, other = (
        {name: file.data.replace(b"\r\n", b"\n") for name, file in state.files.items()}
        for state in (stub, now)
    )
    return one == other and not now.links and not now.left_out


def line_of_placeholder(path: Path) -> int:
    """Return the number of the first line with a placeholder, 0 if the file has none."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError:
        return 0
    return next((number for number, line in enumerate(lines, 1) if _PLACEHOLDER.search(line)), 0)


def files_to_edit(course: Path, task: str) -> list[str]:
    """Return the names of the files in which something was to be written, none if nobody knows."""
    try:
        stub = read(course, task)
    except CourseError:
        return []
    return sorted(name for name, file in stub.files.items() if _PLACEHOLDER.search(file.data))
