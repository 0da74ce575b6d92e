"""What lies in a folder of submissions, before anybody has looked into it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Found:
    """One submission as it was found.

    Attributes:
        label: what it is called there; shown, and the id where no roster says another.
        sources: the folders and archives that it consists of, all of one attempt.
        names: the person's names as the platform has them; for a group, of all members.
        ids: numbers and names by which a roster may know the person.
        emails: of the person or of all members.
        folder: what the platform calls the submission, for feedback to be taken back.
        order: which of several attempts came later: compared as text and number.
        submitted: when it was handed in, ISO 8601; "" if it is not told.
        is_late: what the platform says of it; None if it says nothing.
        is_group: whether it counts for several people.
        attempt: the number of this attempt, from 1; 0 if it is not told.
    """

    label: str
    sources: tuple[Path, ...]
    names: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    folder: str = ""
    order: tuple[str, int] = ("", 0)
    submitted: str = ""
    is_late: bool | None = None
    is_group: bool = False
    attempt: int = 0
