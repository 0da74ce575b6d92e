"""What the journal holds, as values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum

from ml_api_class.cache_keys import Origin
from ml_api_class.verdict import TaskVerdict


class State(StrEnum):
    """What has become of a submission.

    Attributes:
        NOT_GRADED: it could not be graded, which is no 0.
        WAITING: nobody has graded it yet.
    """

    GRADED = "graded"
    NOT_GRADED = "not graded"
    RUNNING = "running"
    WAITING = "waiting"


@dataclass(frozen=True)
class Person:
    """Who handed something in.

    Attributes:
        name: as the roster or the platform says it, "" if nobody does.
        members: the ids of all that a group's submission counts for; empty for one student's.
        is_listed: whether the roster lists them; None without a roster.
        folder: how the platform's download calls the submission, for feedback to be taken back.
        submitted: when it was handed in, in ISO 8601; "" if nobody knows.
        is_late: whether that was after the due date; None if nobody knows.
        attempts: how many attempts were handed in, as the platform tells it; 0 if it does not.
    """

    name: str = ""
    email: str = ""
    section: str = ""
    members: tuple[str, ...] = ()
    is_listed: bool | None = None
    folder: str = ""
    submitted: str = ""
    is_late: bool | None = None
    attempts: int = 0

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(text: str) -> Person:
        content = json.loads(text)
        content["members"] = tuple(content["members"])
        return Person(**content)


@dataclass(frozen=True)
class Submission:
    """One submission, as it is to be graded.

    Attributes:
        files: the digests of its tasks' files, by task.
        source: where it was read.
        fingerprint: changes when the source does.
        problem: why there is nothing to grade, in a sentence; "" if there is.
        notes: what was left out, in sentences.
    """

    id: str
    person: Person
    files: Mapping[str, str]
    source: str = ""
    fingerprint: str = ""
    problem: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class KeptVerdict:
    """A verdict as the journal keeps it.

    Attributes:
        key: what it was made of, files and all.
        files: the digest of the files.
        is_shared: whether it counts for every submission with that key.
    """

    key: str
    files: str
    origin: Origin
    is_shared: bool
    verdict: TaskVerdict


@dataclass(frozen=True)
class Standing:
    """A submission and what it came to.

    Attributes:
        verdicts: of its tasks; none unless it is graded.
        reason: why it is not graded, in a sentence.
    """

    submission: Submission
    state: State
    reason: str = ""
    verdicts: tuple[TaskVerdict, ...] = ()

    @property
    def score(self) -> int:
        return sum(each.score for each in self.verdicts)

    @property
    def maximum(self) -> int:
        return sum(each.maximum for each in self.verdicts)
