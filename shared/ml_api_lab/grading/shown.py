"""What a terminal shows of a grade: which cards, and the lines below them. One for all programs."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

from ml_api_lab.course.tree import TREES
from ml_api_lab.grading.grade import Grade, Outcome, Result, score, summary
from ml_api_lab.grading.verdict import Verdict

K = TypeVar("K", bound=Hashable)


def fail(result: Result, verdict: Verdict, command: str) -> None:
    """Write a failed verdict into its check's result; what was written first stays.

    Args:
        command: runs the check again.
    """
    if not result.card:
        result.message = verdict.message
        result.card = verdict.card(command)
        result.hint = verdict.hint
    result.outcome = Outcome.FAILED
    # All checks of a task without a folder say the same, which is told once.
    result.absent |= verdict.is_absent


def fold(grade: Grade, cards: Mapping[str, Sequence[tuple[K, str]]]) -> dict[K, str]:
    """Choose the cards to show: too many would bury what they say.

    Whoever runs more than one task has mostly not begun with all of them.

    Args:
        cards: the cards of each task, each with the cause that it shares with others ("" for none).

    Returns:
        For each card to show, a line about those that it stands for; "" where it stands for none.
    """
    several = len(grade.tasks) > 1
    lines: dict[K, str] = {}
    for task, of_task in cards.items():
        has_points = score(grade.results_of(task)) > 0
        shown: list[tuple[K, str]] = []
        stands_for: Counter[K] = Counter()
        for card, cause in of_task:
            same = [each for each, its in shown if cause and its == cause]
            if not has_points and several:
                same = [each for each, _ in shown[:1]]
            if same:
                stands_for[same[0]] += 1
            else:
                shown.append((card, cause))
        for card, _ in shown:
            more = stands_for[card]
            cards_more = "1 more card" if more == 1 else f"{more} more cards"
            lines[card] = f"({cards_more} of {task} with -v)" if more else ""
    return lines


def grade_lines(grade: Grade) -> list[str]:
    """Return the table of points, and what a reader must know beside it, as lines of text."""
    lost = "Bring what is missing back from where you got the lab."
    back = [lost] if grade.absent and grade.tree == TREES[0] else []
    return [*summary(grade), *grade.absent, *back, *grade.notes]


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
