"""The stub of a task, as it is handed out. It stands in `checks/task_3_2/stub.json`.

A student's folder changes, and not everybody has git; so each task's stub is kept once more beside
its checks, as a state. Authors write the file anew with `pytest tests/proofs/test_stubs.py
--update-stubs`, and a test holds it to `exercises`.
"""

from __future__ import annotations

from pathlib import Path

from ml_api_lab.errors import CourseError
from ml_api_lab.progress.state import State, StateError

_PLACEHOLDERS = (b"raise NotImplementedError(", b"TODO")


def path_of(course: Path, task: str) -> Path:
    """Return where a task's stub is kept."""
    return course / "checks" / task / "stub.json"


def read(course: Path, task: str) -> State:
    """Return the stub of a task.

    Raises:
        CourseError: the course keeps none, or it is damaged.
    """
    path = path_of(course, task)
    try:
        return State.load(path.read_bytes())
    except OSError as error:
        raise CourseError(
            f"checks/{task}/stub.json cannot be read ({error.strerror}); bring it back from where "
            "you got the lab."
        ) from error
    except StateError as error:
        raise CourseError(f"checks/{task}/stub.json: {error}") from error


def write(course: Path, task: str) -> None:
    """Keep what is in `exercises` now as the stub of a task."""
    path_of(course, task).write_bytes(State.read(course / "exercises" / task).dump())


def files_to_edit(course: Path, task: str) -> list[str]:
    """Return the files of a task in which there is something to do, none if nobody knows."""
    try:
        stub = read(course, task)
    except CourseError:
        return []
    return [
        name
        for name, file in sorted(stub.files.items())
        if any(each in file.data for each in _PLACEHOLDERS)
    ]
