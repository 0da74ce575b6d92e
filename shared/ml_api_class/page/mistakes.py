"""Groups of mistakes: who failed a task's checks by the same, whatever the values were."""

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
    """Return what two failures in one task have in common if they are the same mistake.

    The sentence and the exception on the card, without their values. The log and the printed lines
    are not in it: they differ where two students differ in what is right.
    """
    raised = _RAISED.search(check.card)
    return normalised(check.message) + ("\n" + normalised(raised[0]) if raised else "")


@dataclass
class Group:
    """Students who made the same mistake in a task.

    Attributes:
        task: the number of the task.
        checks: the numbers of the checks that some of them lost by it.
        message: what the first of them was told; `card`: the number of that whole card.
        lost: what it costs each of them, by their numbers.
    """

    task: int
    message: str
    card: int
    checks: list[int] = field(default_factory=list)
    lost: dict[int, int] = field(default_factory=dict)

    @property
    def students(self) -> list[int]:
        return list(self.lost)

    @property
    def points(self) -> int:
        """The most that it costs anybody."""
        return max(self.lost.values())


class Groups:
    """Collects failures into groups: those of a task that say the same are one mistake."""

    def __init__(self) -> None:
        self._groups: dict[tuple[int, str], Group] = {}
        self._keys: dict[tuple[str, str], str] = {}

    def add(self, student: int, task: int, number: int, check: CheckVerdict, card: int) -> None:
        """Add the failure of a student in the check of that number."""
        told = (check.message, check.card)
        if told not in self._keys:
            self._keys[told] = key_of(check)
        group = self._groups.setdefault((task, self._keys[told]), Group(task, check.message, card))
        if number not in group.checks:
            group.checks.append(number)
        points = check.maximum - check.points
        group.lost[student] = group.lost.get(student, 0) + points

    def sorted(self) -> Iterable[Group]:
        """Return all groups, the largest first; of two as large, the one that costs more."""
        return sorted(
            self._groups.values(),
            key=lambda group: (-len(group.lost), -group.points, group.task, group.card),
        )
