"""What writes into a student's folder: the kept states, with errors that say what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ml_api_lab.course.place import Place
from ml_api_lab.course.state import StateError
from ml_api_lab.progress.folder import lab_folder
from ml_api_lab.progress.states import States


@contextmanager
def writing_states(place: Place) -> Iterator[States]:
    """Give the kept states of a course to a command that is no use without them.

    Raises:
        StateError: nothing can be kept, so nothing is replaced.
    """
    folder = lab_folder(place.course)
    try:
        yield States(folder)
    except OSError as error:
        raise StateError(
            f"Your files cannot be kept in {folder} ({error.strerror or error}), so nothing was "
            "changed; make room there, or make it writable."
        ) from error
