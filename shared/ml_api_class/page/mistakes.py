"""Groups of mistakes: who failed the same check by the same, whatever the values were."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from ml_api_class.verdict import CheckVerdict
from ml_api_lab.grading.verdict import without_draws

_QUOTED = re.compile(r"'[^'\n]{0,300}'|\"[^\"\n]{0,300}\"|`[^`\n]{0,300}`")
_RAISED = re.compile(r"^It raised.*$", re.MULTILINE)
_MAX_READ = 2_000


def normalised(text: str) -> str:
    """Return a text without its values: numbers, ids, JSON objects, and whatever it quotes."""
    return " ".join(_QUOTED.sub("'...'", without_draws(text[:_MAX_READ])).split())


def key_of(check: CheckVerdict) -> str:
    """Return what two failures of one check have in common if they are the same mistake.

    The sentence and the exception on the card, without their values. The log and the printed lines
    are not in it: they differ where two students differ in what is right.
    """
    raised = _RAISED.search(check.card)
    return normalised(check.message) + ("\n" + normalised(raised[0]) if raised else "")


@dataclass
class Group:
    """Students who made the same mistake.

    Attributes:
        check: the number of the check.
        points: what it costs each of them.
        students: their numbers.
        card: the number of one whole card, that of the first of them.
    """

    check: int
    points: int
    message: str
    card: int
    students: list[int] = field(default_factory=list)


class Groups:
    """Collects failures into groups."""

    def __init__(self) -> None:
        self._groups: dict[tuple[int, str], Group] = {}
        self._keys: dict[tuple[str, str], str] = {}

    def add(self, student: int, number: int, check: CheckVerdict, card: int) -> None:
        """Add the failure of a student in the check of that number."""
        told = (check.message, check.card)
        if told not in self._keys:
            self._keys[told] = key_of(check)
        group = self._groups.setdefault(
            (number, self._keys[told]),
            Group(number, check.maximum - check.points, check.message, card),
        )
        group.students.append(student)

    def sorted(self) -> Iterable[Group]:
        """Return all groups, the largest first; of two as large, the one that costs more."""
        return sorted(
            self._groups.values(),
            key=lambda group: (-len(group.students), -group.points, group.check, group.card),
        )
