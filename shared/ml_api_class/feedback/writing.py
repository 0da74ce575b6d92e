"""Writing feedback: a file for each student, and an archive of all for the platform."""

from __future__ import annotations

import csv
import hashlib
import hmac
import io
import os
import secrets
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ml_api_class.errors import ClassError
from ml_api_class.feedback import html, markdown
from ml_api_class.feedback.layouts import Layout, file_name, layout_of, path_of
from ml_api_class.feedback.student import of_standing
from ml_api_class.journal.journal import Journal
from ml_api_class.journal.records import Standing, State
from ml_api_lab.course.place import Place

ARCHIVE = "feedback.zip"
PSEUDONYMS = "pseudonyms.csv"
_RENDERERS = {"md": markdown, "html": html}
_CHARACTERS = 10


@dataclass(frozen=True)
class Written:
    """What was written.

    Attributes:
        archive: for the platform, None if the layout is plain.
        left_out: the ids of submissions that the platform could not take back.
    """

    files: int
    layout: Layout
    archive: Path | None
    left_out: tuple[str, ...]


def write(
    journal: Journal,
    place: Place,
    target: Path,
    *,
    formats: Sequence[str] = ("html",),
    layout: Layout | None = None,
    anonymous: bool = False,
    only: Sequence[str] = (),
) -> Written:
    """Write feedback for the students of a run.

    Args:
        target: the folder for it.
        formats: "md", "html" or both.
        layout: by default, that in which the submissions came.
        anonymous: whether pseudonyms stand in the place of names and ids, in the files' names too.
        only: the ids of some submissions; empty for all.

    Raises:
        ClassError: an id is not there, or the layout names students where nobody is to be named.
    """
    standings = _chosen(journal, only)
    if layout is None:
        layout = "plain" if anonymous else layout_of([each.submission for each in standings])
    if anonymous and layout != "plain":
        raise ClassError(f"The layout {layout} names students; leave --layout or --anonymous out.")
    written: dict[str, str] = {}
    left_out = []
    secret = _secret(journal) if anonymous else ""
    for standing in standings:
        submission = standing.submission
        person = submission.person
        heading = person.name or submission.id
        if anonymous:
            heading = pseudonym(secret, submission.id)
        feedback = of_standing(standing, heading, place.course, place.syllabus, journal.packed)
        for format_ in formats:
            renderer = _RENDERERS[format_]
            path = path_of(layout, submission, renderer.ENDING)
            if anonymous:
                path = f"{heading}{renderer.ENDING}"
            if path is None:
                left_out.append(submission.id)
                continue
            text = renderer.render(feedback)
            paths = [path]
            if layout == "plain" and person.members and not anonymous:
                paths = [f"{file_name(each)}{renderer.ENDING}" for each in person.members]
            for each in paths:
                if each in written:
                    raise ClassError(
                        f"{submission.id!r} and another id give the file {each}; "
                        "rename one of them."
                    )
                written[each] = text
    for name, text in written.items():
        _write(target / name, text)
    if anonymous:
        ids = [each.submission.id for each in standings]
        _write(
            journal.path.parent / PSEUDONYMS, _table({pseudonym(secret, id_): id_ for id_ in ids})
        )
    archive = None if layout == "plain" else _archive(target, sorted(written))
    return Written(len(written), layout, archive, tuple(dict.fromkeys(left_out)))


def pseudonym(secret: str, id_: str) -> str:
    """Return what stands in the place of an id; only who has the run can tell whose it is."""
    digest = hmac.new(secret.encode(), id_.encode("utf-8", "surrogatepass"), hashlib.sha256)
    return f"student-{digest.hexdigest()[:_CHARACTERS]}"


def _table(ids: Mapping[str, str]) -> str:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["pseudonym", "id"])
    table.writerows(ids.items())
    return text.getvalue()


def _secret(journal: Journal) -> str:
    secret = journal.setting("secret")
    if secret is None:
        secret = secrets.token_hex(16)
        journal.set("secret", secret)
    return secret


def _chosen(journal: Journal, only: Sequence[str]) -> list[Standing]:
    standings = list(journal.standings(only or None))
    known = {each.submission.id for each in standings}
    if unknown := [each for each in only if each not in known]:
        raise ClassError(f"The run has no submission {unknown[0]!r}.")
    return [each for each in standings if each.state in (State.GRADED, State.NOT_GRADED)]


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.new")
    draft.write_text(text, encoding="utf-8")
    os.replace(draft, path)


def _archive(target: Path, names: Sequence[str]) -> Path:
    path = target / ARCHIVE
    draft = target / f".{ARCHIVE}.new"
    with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.write(target / name, name)
    os.replace(draft, path)
    return path
