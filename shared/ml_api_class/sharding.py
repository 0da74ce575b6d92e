"""Shards: a class graded in parts on machines that share nothing, and the parts put together."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ml_api_class.errors import ClassError
from ml_api_class.journal.journal import Journal

_WRITTEN = re.compile(r"(\d+)/(\d+)")
_COPIED = ("seed", "tasks")
_AGREE = ("checks", "harness", "seed")


@dataclass(frozen=True)
class Shard:
    """One of several parts of a class.

    Attributes:
        index: which one, from 1.
        number: of how many.
    """

    index: int
    number: int

    def __str__(self) -> str:
        return f"{self.index}/{self.number}"

    def holds(self, id_: str) -> bool:
        """Whether a submission is in this part; it is in the same one on every machine."""
        digest = hashlib.sha256(id_.encode("utf-8", "surrogatepass")).digest()
        return int.from_bytes(digest[:8], "big") % self.number == self.index - 1


def parse(text: str) -> Shard:
    """Return the shard that is written `2/8`.

    Raises:
        ClassError: none is.
    """
    match = _WRITTEN.fullmatch(text.strip())
    if match is None or not 1 <= int(match[1]) <= int(match[2]):
        raise ClassError(f"{text!r} is no shard; --shard 2/8 is the second of eight.")
    return Shard(int(match[1]), int(match[2]))


def merge(runs: Sequence[Path], out: Journal) -> int:
    """Put the submissions and grades of several runs into an empty journal; return how many.

    Raises:
        ClassError: they are of different gradings, overlap, or a shard is missing.
    """
    journals = [Journal(run) for run in runs]
    try:
        _require_one_grading(runs, journals)
        _require_all_shards(journals)
        for name in _COPIED:
            value = journals[0].setting(name)
            if value is not None:
                out.set(name, value)
        seen: dict[str, Path] = {}
        for run, journal in zip(runs, journals, strict=True):
            for submission in journal.submissions():
                if submission.id in seen:
                    raise ClassError(
                        f"{submission.id} is in {seen[submission.id]} and in {run}; merge runs of "
                        "different shards."
                    )
                seen[submission.id] = run
                out.take(journal, submission, 0)
    finally:
        for journal in journals:
            journal.close()
    return len(seen)


def _require_one_grading(runs: Sequence[Path], journals: Sequence[Journal]) -> None:
    first: dict[str, tuple[Path, tuple[object, ...]]] = {}
    for run, journal in zip(runs, journals, strict=True):
        for name in _COPIED:
            if journal.setting(name) != journals[0].setting(name):
                raise ClassError(
                    f"{runs[0]} and {run} were graded with another {name}; merge runs of the same."
                )
        for origin in journal.origins():
            told = tuple(getattr(origin, name) for name in _AGREE)
            where, before = first.setdefault(origin.task, (run, told))
            if told != before:
                name = next(name for name, a, b in zip(_AGREE, told, before, strict=True) if a != b)
                raise ClassError(
                    f"{origin.task} was graded with different {name} in {where} and in {run}; "
                    "grade both with the same course and the same lab."
                )


def _require_all_shards(journals: Sequence[Journal]) -> None:
    shards = {parse(text) for each in journals if (text := each.setting("shard"))}
    for number in {each.number for each in shards}:
        missing = [str(Shard(i, number)) for i in range(1, number + 1)]
        missing = [each for each in missing if each not in map(str, shards)]
        if missing:
            raise ClassError(f"The shard {missing[0]} is missing; merge all of them at once.")
