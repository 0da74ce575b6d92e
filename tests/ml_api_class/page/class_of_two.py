"""Verdicts and standings for the tests of a class's page, and its contents read back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ml_api_class.journal.records import Person, Standing, State, Submission
from ml_api_class.verdict import CheckVerdict, TaskVerdict
from ml_api_lab.course.syllabus import Entry, Syllabus

SYLLABUS = Syllabus(
    "A <course>",
    (
        Entry("task_0_1", "First", "Part 0: basics"),
        Entry("task_1_1", "Second", "Part 1: more"),
    ),
)


def check(
    task: str, name: str, points: int, maximum: int, message: str = "", card: str = ""
) -> CheckVerdict:
    """Return a check's verdict; it is a pass if it has all points."""
    return CheckVerdict(
        id=f"checks/{task}/test_x.py::{name}",
        title=f"Title of {name}",
        passed=points == maximum,
        points=points,
        maximum=maximum,
        message=message,
        card=card or message,
    )


def standing(
    id_: str, *verdicts: TaskVerdict, person: Person | None = None, reason: str = ""
) -> Standing:
    """Return a graded submission, or with a reason one that is not graded."""
    digests = {each.task: f"{id_} {each.task}" for each in verdicts}
    state = State.NOT_GRADED if reason else State.GRADED
    return Standing(Submission(id_, person or Person(id_), digests), state, reason, verdicts)


def unpack(packed: str) -> tuple[Any, list[str]]:
    """Return the contents as the page's script reads them: the table, and the cards in order."""
    first, second = packed.split("\n")
    cards = json.loads(second)
    read: dict[int, str] = {}
    for place, number in enumerate(cards["order"]):
        read[number] = _card(cards["cards"], place)
    return json.loads(first), [read[number] for number in sorted(read)]


def _card(coded: Sequence[Any], place: int) -> str:
    each = coded[place]
    if isinstance(each, str):
        return each
    # As a script counts: in units of UTF-16.
    base = coded[place - place % 64].encode("utf-16-le")
    start, end, middle = each
    tail = base[len(base) - 2 * end :]
    whole: bytes = base[: 2 * start] + middle.encode("utf-16-le") + tail
    return whole.decode("utf-16-le")
