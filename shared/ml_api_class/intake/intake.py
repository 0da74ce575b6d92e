"""The intake: who is matched with what, and the contents of each submission in the journal.

First comes a plan, which reads no submission's files and can be shown; then the reading.
"""

from __future__ import annotations

import os
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from ml_api_class.errors import ClassError, UnreadableSource
from ml_api_class.intake import reading
from ml_api_class.intake.archives import Allowance, is_archive, unpack
from ml_api_class.intake.found import Found
from ml_api_class.intake.layouts import find_submissions
from ml_api_class.intake.roster import Roster
from ml_api_class.journal.journal import Journal
from ml_api_class.journal.records import Person, Submission
from ml_api_class.task_files import TaskFiles

NOTHING = "Nothing was handed in."
_BULK_BYTES = 20 * 2**30
_BULK_FILES = 2_000_000


@dataclass(frozen=True)
class Matched:
    """One submission, and whose it is.

    Attributes:
        found: what was handed in; None for a student of the roster who did not.
        earlier: how many attempts there are that do not count.
    """

    id: str
    person: Person
    found: Found | None
    earlier: int = 0


@contextmanager
def opened(path: Path) -> Iterator[Path]:
    """Give the folder of submissions: a platform's download is unpacked for as long as it is read.

    Raises:
        ClassError: the archive cannot be read.
    """
    if not is_archive(path):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="lab-download-", ignore_cleanup_errors=True) as folder:
        allowance = Allowance(_BULK_FILES, _BULK_BYTES)
        try:
            unpack(path, Path(folder) / "download", allowance)
        except UnreadableSource as error:
            raise ClassError(str(error)) from error
        root = Path(folder) / "download"
        entries = [each for each in root.iterdir() if not each.name.startswith(".")]
        yield entries[0] if len(entries) == 1 and entries[0].is_dir() else root


def plan(path: Path, roster: Roster | None, due: datetime | None) -> list[Matched]:
    """Match what lies in a folder with who is in the class; of several attempts the last counts.

    Args:
        due: what comes later is late.

    Raises:
        ClassError: the folder holds no submissions.
    """
    attempts: dict[str, list[tuple[Found, Person]]] = defaultdict(list)
    here: set[str] = set()
    for found in find_submissions(path):
        id_, person = _person(found, roster)
        attempts[id_].append((found, replace(person, is_late=_is_late(found, due))))
        here.update(person.members or [id_])
    matched = []
    for id_, several in attempts.items():
        several.sort(key=lambda each: each[0].order)
        found, person = several[-1]
        person = replace(person, attempts=_attempts([each for each, _ in several]))
        matched.append(Matched(id_, person, found, len(several) - 1))
    if roster is not None:
        for student in roster.students:
            if student.id not in here:
                person = Person(student.name, student.email, student.section, is_listed=True)
                matched.append(Matched(student.id, person, None))
    return sorted(matched, key=lambda each: each.id)


def _attempts(several: Sequence[Found]) -> int:
    """Return how many attempts somebody has handed in, 0 if nobody knows."""
    told = max(each.attempt for each in several)
    return max(told, len(several)) if told or len(several) > 1 else 0


def _person(found: Found, roster: Roster | None) -> tuple[str, Person]:
    told = Person(folder=found.folder, submitted=found.submitted)
    students = [] if roster is None else roster.match(found)
    if not students:
        return found.label, replace(
            told,
            name=", ".join(found.names),
            email=", ".join(found.emails),
            is_listed=None if roster is None else False,
        )
    first = students[0]
    if len(students) == 1:
        person = replace(told, name=first.name, email=first.email, section=first.section)
        return first.id, replace(person, is_listed=True)
    ids = sorted(each.id for each in students)
    return "+".join(ids), replace(
        told,
        name=", ".join(each.name for each in students),
        email=", ".join(each.email for each in students),
        section=first.section,
        members=tuple(ids),
        is_listed=True,
    )


def _is_late(found: Found, due: datetime | None) -> bool | None:
    if due is None or not found.submitted:
        return found.is_late
    try:
        submitted = parse_time(found.submitted)
    except ValueError:
        return found.is_late
    return submitted > due


def parse_time(text: str) -> datetime:
    """Return a moment that is written as in ISO 8601; without a zone, this machine's is meant.

    Raises:
        ValueError: it is none.
    """
    written = text.strip().removesuffix(" UTC").removesuffix("Z").strip()
    moment = datetime.fromisoformat(written)
    if moment.tzinfo is None:
        is_utc = text.strip().endswith(("Z", "UTC"))
        moment = moment.replace(tzinfo=UTC) if is_utc else moment.astimezone()
    return moment


def take_in(
    journal: Journal,
    matched: Sequence[Matched],
    tasks: list[str],
    wanted: Sequence[str],
    on_progress: Callable[[int, int], None] = lambda done, number: None,
) -> None:
    """Read all submissions into the journal; one that has not changed is not read again.

    Args:
        tasks: the names of all tasks of the course.
        wanted: those that are to be graded.
    """
    before = {each.id: each for each in journal.submissions()}
    journal.keep_only(each.id for each in matched)
    with tempfile.TemporaryDirectory(prefix="lab-intake-", ignore_cleanup_errors=True) as scratch:
        for number, each in enumerate(matched):
            on_progress(number, len(matched))
            known = before.get(each.id)
            submission, files = _read(each, known, tasks, wanted, Path(scratch))
            if submission != known:
                journal.put_submission(submission, files, number)


def _read(
    matched: Matched,
    known: Submission | None,
    tasks: list[str],
    wanted: Sequence[str],
    scratch: Path,
) -> tuple[Submission, Mapping[str, TaskFiles]]:
    if matched.found is None:
        return Submission(matched.id, matched.person, {}, problem=NOTHING), {}
    sources = matched.found.sources
    told = " ".join(map(os.fspath, sources))
    mark = reading.fingerprint(sources)
    if known is not None and known.fingerprint == mark and set(known.files) >= set(wanted):
        return replace(known, person=matched.person, source=told), {}
    blank = Submission(matched.id, matched.person, {}, told, mark)
    try:
        contents = reading.read(sources, tasks, wanted, scratch)
    except UnreadableSource as error:
        return replace(blank, problem=str(error)), {}
    files = {each.digest: each for each in contents.tasks.values()}
    digests = {task: each.digest for task, each in contents.tasks.items()}
    return replace(blank, files=digests, notes=contents.notes), files
