"""Assembles the page of a class: one file that opens from disk and asks for nothing.

Its parts are files of their own beside this one. Its policy (Content-Security-Policy) lets a
browser run and apply exactly these, fetch nothing, and make no markup of a text.
"""

from __future__ import annotations

import base64
import hashlib
import os
import zlib
from collections.abc import Iterable
from html import escape
from pathlib import Path
from string import Template

from ml_api_class.feedback.student import is_untouched_task
from ml_api_class.journal.journal import Journal
from ml_api_class.journal.records import Standing, Submission
from ml_api_class.page import proven
from ml_api_class.page.contents import Contents
from ml_api_class.task_files import TaskFiles
from ml_api_lab.course.place import Place
from ml_api_lab.sanitize import sanitize

FILE = "class.html"
SCRIPTS = (
    "elements.js",
    "decode.js",
    "selection.js",
    "heat_map.js",
    "submission.js",
    "mistakes.js",
    "summary.js",
    "main.js",
)
"""The parts of the page's script, in their order."""

_HERE = Path(__file__).parent


def write(journal: Journal, place: Place, path: Path, proven_in: Path | None = None) -> Path:
    """Write the page of a run, whole or not at all; return its path.

    Args:
        proven_in: the file that tells what is proved of the checks; by default, the course's own,
            if it has one.

    Raises:
        ClassError: that file cannot be read.
    """
    untouched: dict[tuple[str, str], bool] = {}

    def is_untouched(submission: Submission, task: str) -> bool:
        digest = submission.files[task]
        if (task, digest) not in untouched:
            files = TaskFiles.unpack(journal.packed(digest))
            untouched[task, digest] = files.is_missing or is_untouched_task(
                place.course, task, files
            )
        return untouched[task, digest]

    figures = proven.read(place.course / proven.FILE if proven_in is None else proven_in)
    standings = list(journal.standings())
    contents = Contents(
        place.syllabus,
        standings,
        is_untouched,
        _attempts(standings),
        proven.current(figures, journal.origins()),
    )
    seed = journal.setting("seed") or "unknown"
    tiers = sorted({str(each.tier) for each in journal.origins()}) or ["unknown"]
    run = f"Seed {seed}, isolation {', '.join(tiers)}."
    text = assemble(place.syllabus.title, run, contents.pack())
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.new")
    draft.write_text(text, encoding="utf-8", newline="\n")
    os.replace(draft, path)
    return path


def _attempts(standings: Iterable[Standing]) -> dict[str, int]:
    """Return how many attempts there are where the platform tells, by the submission's id."""
    return {
        each.submission.id: each.submission.person.attempts
        for each in standings
        if each.submission.person.attempts
    }


def assemble(title: str, run: str, contents: str) -> str:
    """Return the page.

    Args:
        run: how the class was graded, in a sentence.
        contents: what it shows, as `Contents.pack` returns it.
    """
    style = _read("page.css")
    parts = "\n".join(_read(name) for name in SCRIPTS)
    script = f'(() => {{\n"use strict";\n{parts}}})();\n'
    policy = "; ".join(
        [
            "default-src 'none'",
            f"script-src 'sha256-{_hash(script)}'",
            f"style-src 'sha256-{_hash(style)}'",
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
        ]
    )
    data = base64.b64encode(zlib.compress(contents.encode(), 9)).decode()
    return Template(_read("page.html")).substitute(
        policy=policy,
        title=escape(sanitize(title)),
        run=escape(sanitize(run)),
        style=style,
        data=data,
        script=script,
    )


def _read(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
