"""What a terminal shows of a grade: which cards, and the lines below them. One for all programs."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from ml_api_lab.course import stubs
from ml_api_lab.course.catalog import Check
from ml_api_lab.course.tree import TREES, Tree
from ml_api_lab.grading.grade import Grade, Outcome, Result, how_graded, score, summary
from ml_api_lab.grading.verdict import Verdict

_MOST_NAMED = 2
"""How many checks that failed by the same are named, each in a row of its own."""

K = TypeVar("K", bound=Hashable)


def fail(result: Result, verdict: Verdict, command: str) -> None:
    """Write a failed verdict into its check's result; what was written first stays.

    Args:
        command: runs the check again.
    """
    if not result.card:
        result.message = verdict.message
        result.card = verdict.card(command, is_whole=True)
        result.hint = verdict.hint
        result.timeline = verdict.timeline
    result.outcome = Outcome.FAILED
    # All checks of a task without a folder say the same, which is told once.
    result.absent |= verdict.is_absent


@dataclass
class ShownCard(Generic[K]):
    """A card to show, and those that it stands for.

    Attributes:
        card: which card it is.
        same: checks that failed by the same.
        further: how many more cards of a task there are that is as good as not begun.
    """

    card: K
    same: list[Check]
    further: int = 0

    @property
    def rows(self) -> list[str]:
        """What is told of the cards that are not shown."""
        if len(self.same) > _MOST_NAMED:
            lost = sum(check.points for check in self.same)
            rows = [f"{len(self.same)} more checks fail for this reason (0 of {lost} points)"]
        else:
            rows = [
                f"also fails for this reason: {check.name} "
                f"(0 of {check.points} point{'' if check.points == 1 else 's'})"
                for check in self.same
            ]
        if self.further:
            cards = "1 more card" if self.further == 1 else f"{self.further} more cards"
            rows.append(f"({cards} of this task with -v)")
        return rows


def choose_cards(
    grade: Grade,
    cards: Mapping[str, Sequence[tuple[K, Verdict]]],
    is_untouched: Callable[[str], bool],
) -> list[ShownCard[K]]:
    """Choose the cards to show: one for each cause, of each task the one that tells most first.

    Whoever runs more than one task has mostly not begun with all of them: what has no point yet
    shows one card, and what is still as it was handed out shows none.

    Args:
        cards: the failed checks of each task.
        is_untouched: whether a task's files are still those that were handed out.
    """
    chosen: list[ShownCard[K]] = []
    several = len(grade.tasks) > 1
    for task, of_task in cards.items():
        has_points = score(grade.results_of(task)) > 0
        if not has_points and is_untouched(task):
            continue
        shown: list[tuple[ShownCard[K], frozenset[str]]] = []
        for card, verdict in sorted(of_task, key=lambda each: each[1].rank):
            same = [each for each, causes in shown if causes & verdict.causes]
            if same:
                same[0].same.append(verdict.check)
            elif shown and several and not has_points:
                shown[0][0].further += 1
            else:
                shown.append((ShownCard(card, []), verdict.causes))
        chosen += [each for each, _ in shown]
    return chosen


def not_begun_lines(
    grade: Grade, course: Path, tree: Tree, is_untouched: Callable[[str], bool]
) -> list[str]:
    """Return a line for each task whose files are still those that were handed out."""
    lines = []
    for task in grade.tasks:
        results = grade.results_of(task)
        failed = any(each.outcome == Outcome.FAILED for each in results)
        if failed and score(results) == 0 and is_untouched(task):
            files = stubs.files_to_edit(course, task)
            folder = tree.shown(task)
            edit = " and ".join(f"{folder}/{name}" for name in files) or folder
            lines.append(
                f"{grade.syllabus.entry(task).number} is not started yet: "
                f"read checks/{task}/README.md, edit {edit}."
            )
    return lines


def grade_lines(grade: Grade) -> list[str]:
    """Return the table of points, and what a reader must know beside it, as lines of text."""
    lost = "Bring what is missing back from where you got the lab."
    back = [lost] if grade.absent and grade.tree == TREES[0] else []
    return [*summary(grade), *grade.absent, *back, *grade.notes, how_graded(grade)]


def rerun_command(grade: Grade, node: str, *, is_reported: bool = False) -> str:
    """Return the command that runs a check again.

    Args:
        node: the check's node id, with the path of its file from where the command is to run.
        is_reported: whether somebody else reads it, in a clone where the tree is their own.
    """
    command = ["pytest", node]
    if grade.tree != TREES[0] and not (is_reported and grade.tree not in TREES):
        command.append(f"--tree={grade.tree}")
    if grade.clock != "lab":
        command.append(f"--clock={grade.clock}")
    command.append(f"--seed={grade.seed}")
    return subprocess.list2cmdline(command) if os.name == "nt" else shlex.join(command)
