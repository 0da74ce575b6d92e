"""Where a student's feedback goes, so that the platform which it came from takes it back.

- Moodle ("Upload multiple feedback files in a zip"): the folder of the download, any file in it.
- Canvas ("Upload submissions"): a file whose name has the two numbers of the downloaded one; Canvas
  takes from them whose it is.
- Otherwise a file with the student's id.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

from ml_api_class.intake.layouts import is_of_canvas, is_of_moodle
from ml_api_class.journal.records import Submission

Layout = Literal["plain", "moodle", "canvas"]
NAME = "feedback"
_UNSAFE = re.compile(r"[^\w.@+-]+")
_MAX_NAME = 100


def layout_of(submissions: list[Submission]) -> Layout:
    """Return the layout that the submissions came in; plain where they came in several."""
    folders = [each.person.folder for each in submissions if each.person.folder]
    if folders and all(map(is_of_moodle, folders)):
        return "moodle"
    if folders and all(map(is_of_canvas, folders)):
        return "canvas"
    return "plain"


def path_of(layout: Layout, submission: Submission, ending: str) -> str | None:
    """Return where a submission's feedback goes, from the folder of all of it.

    Returns:
        None for what the platform could not take back, as nothing came from there.
    """
    folder = submission.person.folder
    if layout == "plain":
        return f"{file_name(submission.id)}{ending}"
    if not folder:
        return None
    return f"{folder}/{NAME}{ending}" if layout == "moodle" else f"{folder}_{NAME}{ending}"


def file_name(id_: str) -> str:
    """Return an id as the name of a file that every system takes."""
    name = _UNSAFE.sub("_", unicodedata.normalize("NFC", id_)).strip(". ")
    return name[:_MAX_NAME] or "_"
