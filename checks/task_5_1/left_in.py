"""Why the `.dockerignore` lets into an image what should stay out of it."""

from __future__ import annotations

from ml_api_lab.images.context import Context


def why_left_in(context: Context, name: str) -> tuple[str, str]:
    """Return why a file beside the Dockerfile is not left out, for a sentence; and a hint."""
    if not context.ignore_file:
        return (
            "there is no .dockerignore beside the Dockerfile",
            "By which file, and in which folder, does Docker learn what to leave out?",
        )
    if (found := context.line_that_brings_back(name)) is not None:
        number, line = found
        return (
            f"line {number} of {context.ignore_file}, {line}, brings it back",
            "Of the patterns that fit a file, which one decides: the first, or the last?",
        )
    return (
        f"no line of {context.ignore_file} fits it",
        "Is there a line in it for this file? If so, does it fit the name, letter by letter?",
    )
