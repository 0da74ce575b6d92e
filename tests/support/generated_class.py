"""A generated class: students at some stage of the course, whose points are known beforehand.

Who has worked on a task has handed in its solution, one of its variants or one of its mistakes,
each with a line of comment of their own, as no two people write the same; what they have not
reached is as it was handed out. A right task earns ten points and a stub none. What a mistake earns
is found out once, check by check, with nothing beside it.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tests.proofs.prover import COURSE, LEFT_OUT, Case, Prover, cases

Stage = Literal["early", "middle", "late"]

_REACHED: Mapping[Stage, range] = {
    "early": range(1, 7),
    "middle": range(7, 14),
    "late": range(14, 21),
}
"""How many tasks somebody has worked on at a stage of the course."""

_SHARES: Mapping[Stage, tuple[int, int, int]] = {
    "early": (80, 15, 5),
    "middle": (20, 70, 10),
    "late": (10, 25, 65),
}
"""Of a hundred students of a class, how many are early, in the middle and late."""

_RIGHT, _WRONG = 75, 25
_MISTAKES_OF_A_TASK = 4
_COMMENTED = ("main.py", "train.py", "requirements.txt", "service.yaml", "containerapp.yaml")
"""The files that may end with a comment, which changes nothing that a check asks."""

Outcomes = dict[str, tuple[bool, int]]
"""Whether each check is passed, and what it earns."""


@dataclass(frozen=True)
class Student:
    """One student.

    Attributes:
        work: what they have handed in of each task that they have reached.
    """

    id: str
    work: tuple[Case, ...]

    def write(self, folder: Path) -> Path:
        """Write their submission; return its folder."""
        root = folder / self.id
        shutil.copytree(COURSE / "exercises", root, ignore=LEFT_OUT)
        for case in self.work:
            shutil.rmtree(root / case.task)
            _comment(case.write(root), self.id)
        return root


def _comment(folder: Path, text: str) -> None:
    for name in _COMMENTED:
        path = folder / name
        if path.is_file():
            with path.open("a", encoding="utf-8", newline="\n") as file:
                file.write(f"\n# {text}\n")
            return


def students(number: int, stage: Stage, seed: int = 1) -> Iterator[Student]:
    """Yield the students of a class at that stage; the same ones for the same seed."""
    draw = random.Random(f"{seed} {stage}")
    tasks = Prover.tasks()
    right = {task: [Case(task, "the solution", ())] for task in tasks}
    wrong: dict[str, list[Case]] = {task: [] for task in tasks}
    for case in cases("variant"):
        right[case.task].append(case)
    for case in cases("mistake"):
        wrong[case.task].append(case)
    wrong = {task: _few(each, seed) for task, each in wrong.items()}
    for index in range(number):
        where = draw.choices(list(_REACHED), _SHARES[stage])[0]
        reached = tasks[: draw.choice(_REACHED[where])]
        work = []
        for task in reached:
            pool = draw.choices((right[task], wrong[task]), (_RIGHT, _WRONG))[0]
            work.append(draw.choice(pool))
        yield Student(f"s{index:05}", tuple(work))


def _few(mistakes: Sequence[Case], seed: int) -> list[Case]:
    return random.Random(seed).sample(mistakes, min(_MISTAKES_OF_A_TASK, len(mistakes)))


class Expected:
    """What students earn, known before a class is graded."""

    def __init__(self, prover: Prover) -> None:
        self._prover = prover
        self._of_mistakes: dict[str, Outcomes] = {}

    def of(self, student: Student, scratch: Path) -> Outcomes:
        """Return each check's outcome.

        Args:
            scratch: an empty folder, in which mistakes are tried.
        """
        found: Outcomes = {}
        work = {case.task: case for case in student.work}
        for task in self._prover.tasks():
            case = work.get(task)
            if case is None or case.check is None:
                passed = case is not None
                found.update(
                    {
                        check.id: (passed, check.points if passed else 0)
                        for check in self._prover.checks(task)
                    }
                )
            else:
                found.update(self._of_mistake(case, scratch))
        return found

    def _of_mistake(self, case: Case, scratch: Path) -> Outcomes:
        if case.id not in self._of_mistakes:
            root = scratch / str(len(self._of_mistakes))
            case.write(root)
            verdicts = self._prover.grade(root, case.task)
            assert case.check is not None
            assert verdicts[case.check].message is not None, f"{case.id} is no mistake any more"
            self._of_mistakes[case.id] = {
                check.id: (passed, check.points if passed else 0)
                for check in self._prover.checks(case.task)
                for passed in [verdicts[check.name].message is None]
            }
        return self._of_mistakes[case.id]
