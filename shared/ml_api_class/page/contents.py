"""What the page of a class shows, as values that are packed into it.

Each distinct card is there once, and each distinct verdict on a task. A card is written as what it
has in another way than the first card of its group: its beginning and its end are mostly the same.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ml_api_class.journal.records import Standing, Submission
from ml_api_class.page import statistics
from ml_api_class.page.mistakes import Groups
from ml_api_class.page.proven import NOTHING_PROVEN, Proven
from ml_api_class.verdict import TaskVerdict
from ml_api_lab.course.syllabus import Syllabus
from ml_api_lab.sanitize import sanitize

FORMAT = 1
_NOBODY = -1


@dataclass
class _Task:
    """A task: its checks by their ids, with their numbers."""

    name: str
    checks: dict[str, int] = field(default_factory=dict)


class Contents:
    """What is shown of a class.

    Args:
        standings: all submissions.
        is_untouched: whether a submission's task was not begun: it is still as it was handed out,
            or not there; asked only of tasks without a point.
        attempts: how many attempts there are, by a submission's id; of those where it is known.
        proven: what is proved of the checks.
    """

    def __init__(
        self,
        syllabus: Syllabus,
        standings: Iterable[Standing],
        is_untouched: Callable[[Submission, str], bool],
        attempts: Mapping[str, int] | None = None,
        proven: Proven = NOTHING_PROVEN,
    ) -> None:
        self._syllabus = syllabus
        self._is_untouched = is_untouched
        self._standings = list(standings)
        known = {} if attempts is None else attempts
        self._attempts = [known.get(each.submission.id, 0) for each in self._standings]
        self._proven = proven
        asked = {each.task for standing in self._standings for each in standing.verdicts}
        self._tasks = [_Task(name) for name in syllabus.names if name in asked]
        self._numbers = {task.name: number for number, task in enumerate(self._tasks)}
        self._checks: list[dict[str, Any]] = []
        self._cards: dict[str, int] = {}
        self._verdicts: dict[tuple[object, ...], int] = {}
        self._groups = Groups()
        # Most students share a verdict with others: each is looked at once.
        self._seen: dict[tuple[int, bool], tuple[int, list[int]]] = {}
        self._rows: list[list[int]] = []
        self._points: list[dict[int, int]] = []
        for number, standing in enumerate(self._standings):
            self._add(number, standing)

    def pack(self) -> str:
        """Return the contents as two lines of JSON: what is drawn at once, and the cards."""
        groups = [
            [
                group.task,
                group.checks,
                group.points,
                sanitize(group.message),
                group.card,
                _steps(group.students),
            ]
            for group in self._groups.sorted()
        ]
        table = {
            "format": FORMAT,
            "course": sanitize(self._syllabus.title),
            "parts": [sanitize(part) for part in self._syllabus.parts],
            "tasks": [self._task(task) for task in self._tasks],
            "checks": self._checks,
            "students": self._students(),
            "verdicts": list(self._verdicts),
            "grades": self._rows,
            "groups": groups,
            "items": [self._item(number) for number in range(len(self._checks))],
            "proven": sanitize(self._proven.note),
        }
        cards = list(self._cards)
        order = self._order_of_cards()
        packed = {
            "order": order,
            "cards": _front_coded([cards[number] for number in order]),
        }
        return "\n".join(
            json.dumps(each, ensure_ascii=False, separators=(",", ":")) for each in (table, packed)
        )

    # --- one submission -------------------------------------------------------------------------

    def _add(self, number: int, standing: Standing) -> None:
        row = [_NOBODY] * len(self._tasks)
        points: dict[int, int] = {}
        for verdict in standing.verdicts:
            task = self._numbers[verdict.task]
            untouched = verdict.score == 0 and self._is_untouched(standing.submission, verdict.task)
            row[task], cards = self._verdict(task, verdict, untouched)
            if untouched:
                continue
            for check, card in zip(verdict.checks, cards, strict=True):
                item = self._check(task, check.id, check.title, check.maximum)
                points[item] = check.points
                if not check.passed:
                    self._groups.add(number, task, item, check, card)
        self._rows.append(row)
        self._points.append(points)

    def _verdict(self, task: int, verdict: TaskVerdict, untouched: bool) -> tuple[int, list[int]]:
        """Return the number of a verdict, and those of its cards; -1 for a check without one."""
        known = self._seen.get((id(verdict), untouched))
        if known is not None:
            return known
        cards = [
            self._cards.setdefault(sanitize(check.card or check.message), len(self._cards))
            if not check.passed
            else _NOBODY
            for check in verdict.checks
        ]
        ended = tuple(
            (
                self._check(task, check.id, check.title, check.maximum),
                check.points,
                card,
                # What another run may not repeat is marked; of most nothing is said.
                *((1,) if check.is_doubtful else ()),
            )
            for check, card in zip(verdict.checks, cards, strict=True)
        )
        entry = (verdict.score, verdict.maximum, int(untouched), ended)
        number = self._verdicts.setdefault(entry, len(self._verdicts))
        self._seen[id(verdict), untouched] = number, cards
        return number, cards

    def _check(self, task: int, id_: str, title: str, maximum: int) -> int:
        checks = self._tasks[task].checks
        if id_ not in checks:
            checks[id_] = len(self._checks)
            name = id_.rpartition("::")[2]
            self._checks.append(
                {"task": task, "title": sanitize(title), "name": sanitize(name), "maximum": maximum}
            )
        return checks[id_]

    # --- the whole class ------------------------------------------------------------------------

    def _task(self, task: _Task) -> dict[str, Any]:
        entry = self._syllabus.entry(task.name)
        return {
            "number": entry.number,
            "title": sanitize(entry.title),
            "part": self._syllabus.parts.index(entry.part),
        }

    def _students(self) -> dict[str, list[Any]]:
        """Return a column for each thing that is known of the students."""
        names = [each.submission.person.name or each.submission.id for each in self._standings]
        by_name = sorted(range(len(names)), key=lambda number: (_plain(names[number]), number))
        ranks = [0] * len(names)
        for rank, number in enumerate(by_name):
            ranks[number] = rank
        people = [each.submission.person for each in self._standings]
        return {
            "id": [sanitize(each.submission.id) for each in self._standings],
            "name": [sanitize(name) for name in names],
            "rank": ranks,
            "section": [sanitize(person.section) for person in people],
            "state": [str(each.state) for each in self._standings],
            "reason": [sanitize(each.reason) for each in self._standings],
            "late": [int(bool(person.is_late)) for person in people],
            "submitted": [sanitize(person.submitted) for person in people],
            "notes": [sanitize(" ".join(each.submission.notes))[:500] for each in self._standings],
            "score": [each.score for each in self._standings],
            "maximum": [each.maximum for each in self._standings],
            "attempts": self._attempts,
        }

    def _item(self, number: int) -> dict[str, Any]:
        began = [n for n, points in enumerate(self._points) if number in points]
        maximum = self._checks[number]["maximum"]
        found = statistics.item(
            [self._points[n][number] for n in began],
            [self._standings[n].score for n in began],
            maximum,
        )
        correlation = found.rest_correlation
        attempts = statistics.mean_known(
            self._attempts[n] for n in began if self._points[n][number] == maximum
        )
        task = self._tasks[self._checks[number]["task"]].name
        figures = self._proven.of(task, self._checks[number]["name"])
        return {
            "began": found.began,
            "passed": found.passed,
            "mean": round(found.mean, 3),
            "rest": None if correlation is None else round(correlation, 3),
            "note": found.note,
            "attempts": None if attempts is None else round(attempts, 2),
            "cost": None if figures is None or figures.cost is None else round(figures.cost, 2),
            "mistakes": 0 if figures is None else figures.mistakes,
            "killed": None if figures is None else figures.killed,
            "mutants": None if figures is None else figures.mutants,
        }

    def _order_of_cards(self) -> list[int]:
        """Return the numbers of the cards so that those of one check are beside each other."""
        first: dict[int, int] = {}
        for entry in self._verdicts:
            ended = entry[3]
            assert isinstance(ended, tuple)
            for check, _, card, *_ in ended:
                if card != _NOBODY:
                    first.setdefault(card, check)
        cards = list(self._cards)
        return sorted(first, key=lambda number: (first[number], cards[number]))


def _plain(name: str) -> str:
    """Return a name as it is sorted: without accents and case."""
    bare = unicodedata.normalize("NFKD", name.casefold())
    return "".join(each for each in bare if not unicodedata.combining(each))


def _steps(numbers: list[int]) -> list[int]:
    """Return rising numbers as the distance of each from the one before, which packs better."""
    return [number - before for before, number in zip([0, *numbers], numbers, strict=False)]


_RESTART = 64


def _front_coded(texts: list[str]) -> list[Any]:
    """Return texts so that each is what it adds to a text before it.

    A text is written whole at every 64th place, and otherwise as [how many characters of that one
    it begins with, how many it ends with, what stands between]: so any of them is read with two.
    Lengths are in UTF-16 units, as scripts in a browser count.
    """
    coded: list[Any] = []
    base = ""
    for place, text in enumerate(texts):
        if place % _RESTART == 0:
            base = text
            coded.append(text)
            continue
        start = _common(base, text)
        rest, rest_of_base = text[start:], base[start:]
        end = _common(rest[::-1], rest_of_base[::-1])
        middle = rest[: len(rest) - end]
        head, tail = text[:start], rest[len(rest) - end :]
        coded.append([_units(head), _units(tail), middle])
    return coded


def _common(first: str, second: str) -> int:
    """Return how many characters two texts begin with together."""
    least, most = 0, min(len(first), len(second))
    while least < most:
        middle = (least + most + 1) // 2
        if first[least:middle] == second[least:middle]:
            least = middle
        else:
            most = middle - 1
    return least


def _units(text: str) -> int:
    return len(text) + sum(ord(each) > 0xFFFF for each in text)
