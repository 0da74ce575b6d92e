"""The grade: what each check earned, computed once, on the checks' side."""

from __future__ import annotations

from dataclasses import dataclass, field

from shared.catalog import Check
from shared.syllabus import Syllabus

PASSED, FAILED, NOT_RUN, DESELECTED = "passed", "failed", "not run", "deselected"
OUTCOMES = (PASSED, FAILED, NOT_RUN, DESELECTED)


@dataclass
class Result:
    """One check's result.

    Attributes:
        outcome: "passed"; "failed"; "not run" (the run ended before, and it scores 0);
            "deselected" (its task was graded in part, by the user's choice).
        message: what was seen against what is right, for a failed check.
        card: the whole card, for a failed check.
        lab_time: how far the lab's clock went, in nanoseconds.
        real_time: how long it took, in seconds.
    """

    check: Check
    outcome: str = NOT_RUN
    message: str = ""
    card: str = ""
    lab_time: int = 0
    real_time: float = 0.0

    @property
    def points(self) -> int:
        return self.check.points if self.outcome == PASSED else 0


@dataclass
class Grade:
    """The results of the tasks that were asked for; the others do not count.

    Attributes:
        tree: how the graded tree is called.
        clock: "lab" or "real".
        seed: what the run's draws began with.
        ended: "" for a run that came to its end, else why it did not.
    """

    syllabus: Syllabus
    tree: str
    clock: str
    seed: int
    results: dict[str, Result] = field(default_factory=dict)
    ended: str = ""

    @property
    def score(self) -> int:
        return sum(result.points for result in self.results.values())

    @property
    def maximum(self) -> int:
        """All points of the tasks that were asked for, whether or not their checks ran."""
        return sum(result.check.points for result in self.results.values())

    @property
    def missing(self) -> int:
        """Points that were asked for and not earned; deselected checks were not asked for."""
        return sum(
            result.check.points
            for result in self.results.values()
            if result.outcome in (FAILED, NOT_RUN)
        )

    def of(self, task: str) -> list[Result]:
        return [result for result in self.results.values() if result.check.task == task]

    @property
    def tasks(self) -> list[str]:
        """The tasks that were asked for, in the order of the syllabus."""
        asked = {result.check.task for result in self.results.values()}
        return [name for name in self.syllabus.names if name in asked]


def summary(grade: Grade) -> list[str]:
    """Return the table of tasks and parts as lines of text."""
    lines: list[str] = []
    for part in grade.syllabus.parts:
        entries = [e for e in grade.syllabus.tasks if e.part == part and e.name in grade.tasks]
        if not entries:
            continue
        rows = [(f"{entry.number} {entry.title}", grade.of(entry.name)) for entry in entries]
        lines.append(_row(part, [result for _, results in rows for result in results], ""))
        lines.extend(_row(title, results, "  ") for title, results in rows)
    lines.append(_row("Total", list(grade.results.values()), ""))
    return lines


def _row(title: str, results: list[Result], indent: str) -> str:
    score = sum(result.points for result in results)
    maximum = sum(result.check.points for result in results)
    filled = 20 * score // maximum if maximum else 0
    bar = "#" * filled + "." * (20 - filled)
    left_out = sum(result.outcome == DESELECTED for result in results)
    note = f"  ({left_out} not selected)" if left_out else ""
    return f"{indent + title:<40} [{bar}] {score:>3} of {maximum:>3}{note}"
