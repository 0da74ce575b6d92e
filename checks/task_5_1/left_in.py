"""What gets into an image that should stay out of it, and why the `.dockerignore` lets it in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ml_api_lab.images.ignore import IgnoreRules

if TYPE_CHECKING:
    from ml_api_lab.check import Task

_IGNORE_FILES = ("Dockerfile.dockerignore", ".dockerignore")
_MAX_BYTES = 64_000


def why_left_in(task: Task, name: str) -> tuple[str, str]:
    """Return why a file beside the Dockerfile is not left out, for a sentence; and a hint."""
    present = next((each for each in _IGNORE_FILES if task.files.exists(each)), None)
    if present is None:
        return (
            "there is no .dockerignore beside the Dockerfile",
            "By which file, and in which folder, does Docker learn what to leave out?",
        )
    lines = task.files.text(present, _MAX_BYTES).splitlines()
    found = _line_that_brings_back(lines, name)
    if found is not None:
        return (
            f"line {found + 1} of {present}, {lines[found].strip()}, brings it back",
            "Of the patterns that fit a file, which one decides: the first, or the last?",
        )
    return (
        f"no line of {present} fits it",
        "Which line of it is to leave this file out, letter by letter?",
    )


def _line_that_brings_back(lines: list[str], name: str) -> int | None:
    """Return the line from which on a name is no longer left out, None if it never was."""
    found, was_left_out = None, False
    for count in range(len(lines) + 1):
        try:
            is_left_out = IgnoreRules(lines[:count]).matches(name)
        except ValueError:
            return None  # whoever builds the image will be told
        if was_left_out and not is_left_out:
            found = count - 1
        was_left_out = is_left_out
    return found
