"""The grade: what each check earned, computed once, on the checks' side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from ml_api_lab.course.catalog import Check
from ml_api_lab.course.syllabus import POINTS_PER_TASK, Syllabus
from ml_api_lab.grading.timeline import TimeLine
from ml_api_lab.lab_time import NO_TIME, Span
from ml_api_lab.protocol.confinement import Tier
from ml_api_lab.protocol.messages import ClockName


class Outcome(StrEnum):
    """How a check ended.

    Attributes:
        NOT_RUN: the run ended before; the check scores 0.
        DESELECTED: its task was graded in part, by the user's choice.
    """

    PASSED = "passed"
    FAILED = "failed"
    NOT_RUN = "not run"
    DESELECTED = "deselected"


HARNESS_FAILED = "the harness failed"
INTERRUPTED = "interrupted"
STOPPED = "stopped before its end"
NOTHING = "nothing was selected"
_MISSING_SUFFIX = " is missing."


@dataclass
class Result:
    """One check's result.

    Attributes:
        message: what was seen against what is right, for a failed check; sanitized.
        card: the whole card, for a failed check; sanitized.
        hint: the hint on that card, "" if it has none.
        lab_time: how far the check's clock went.
        real_time: how long it took, in seconds.
        absent: whether it failed since its task's folder is not there, or cannot be used.
        timeline: what happened when, for a failed check; None if nothing did.
    """

    check: Check
    outcome: Outcome = Outcome.NOT_RUN
    message: str = ""
    card: str = ""
    hint: str = ""
    lab_time: Span = NO_TIME
    real_time: float = 0.0
    absent: bool = False
    timeline: TimeLine | None = None

    @property
    def points(self) -> int:
        return self.check.points if self.outcome == Outcome.PASSED else 0


@dataclass
class Grade:
    """The results of the tasks that were asked for; the others do not count.

    Attributes:
        tree: how the graded tree is called.
        tree_problem: what is wrong with the tree as a whole, in a sentence; "" for nothing.
        seed: what the run's draws began with.
        ended: "" for a run that came to its end, else why it did not, in a word or two.
        began: when the run began.
        identity: whose submission it is, as the platform's environment says; only for a report
            that needs it.
        warnings: what else a reader must know, in sentences.
        harness_failed: whether the harness failed in a check, or one could not be loaded.
        isolation: the tier to which the submission's processes were confined.
        digest: of the checks and the lab, as they were before the run; "" if nobody has looked.
    """

    syllabus: Syllabus
    tree: str
    clock: ClockName
    seed: int
    results: dict[str, Result] = field(default_factory=dict)
    ended: str = ""
    began: datetime = field(default_factory=lambda: datetime.now(UTC))
    identity: Mapping[str, str] = field(default_factory=dict)
    tree_problem: str = ""
    warnings: list[str] = field(default_factory=list)
    harness_failed: bool = False
    isolation: Tier = "none"
    digest: str = ""

    @property
    def score(self) -> int:
        return score(self.results.values())

    @property
    def maximum(self) -> int:
        """All points of the tasks that were asked for, whether or not their checks ran."""
        return maximum(self.results.values())

    @property
    def course_maximum(self) -> int:
        """All points of the course, whatever was asked for."""
        return POINTS_PER_TASK * len(self.syllabus.tasks)

    @property
    def missing(self) -> int:
        """Points that were asked for and not earned; deselected checks were not asked for."""
        return sum(
            result.check.points
            for result in self.results.values()
            if result.outcome in (Outcome.FAILED, Outcome.NOT_RUN)
        )

    def results_of(self, task: str) -> list[Result]:
        return [result for result in self.results.values() if result.check.task == task]

    @property
    def tasks(self) -> list[str]:
        """The tasks that were asked for, in the order of the syllabus."""
        asked = {result.check.task for result in self.results.values()}
        return [name for name in self.syllabus.names if name in asked]

    @property
    def absent(self) -> list[str]:
        """What is wrong with the folders of absent tasks, in sentences; one for all missing."""
        told = dict.fromkeys(each.message for each in self.results.values() if each.absent)
        missing = [
            each.removesuffix(_MISSING_SUFFIX) for each in told if each.endswith(_MISSING_SUFFIX)
        ]
        others = [each for each in told if not each.endswith(_MISSING_SUFFIX)]
        if len(missing) > 1:
            return [f"{', '.join(missing[:-1])} and {missing[-1]} are missing.", *others]
        return list(told)

    @property
    def notes(self) -> list[str]:
        """What a reader must know beside the score, in sentences; none for a whole run."""
        notes = [self.tree_problem] if self.tree_problem else []
        if self.ended:
            notes.append(f"This is no whole run: {self.ended}.")
        if self.ended == HARNESS_FAILED:
            notes.append("The grade is not to be relied on.")
        if waiting := self._checks_were(Outcome.NOT_RUN):
            notes.append(f"{waiting} not run; what has not run scores 0.")
        if left_out := self._checks_were(Outcome.DESELECTED):
            notes.append(f"{left_out} not selected, which is not a failure and scores 0.")
        if 0 < self.maximum < self.course_maximum:
            were = "was" if len(self.tasks) == 1 else "were"
            few = f"Only {len(self.tasks)} of {len(self.syllabus.tasks)} tasks {were} graded"
            notes.append(
                f"{few}: at most {self.maximum} of the course's {self.course_maximum} points."
            )
        return [*notes, *self.warnings]

    def _checks_were(self, outcome: Outcome) -> str:
        number = sum(result.outcome == outcome for result in self.results.values())
        return f"{number} check{' was' if number == 1 else 's were'}" if number else ""


def score(results: Iterable[Result]) -> int:
    """Return the points that were earned."""
    return sum(result.points for result in results)


def maximum(results: Iterable[Result]) -> int:
    """Return the points that could have been earned."""
    return sum(result.check.points for result in results)


def summary(grade: Grade) -> list[str]:
    """Return the table of tasks and parts as lines of text; of one task alone it is one line."""
    if len(grade.tasks) == 1:
        entry = grade.syllabus.entry(grade.tasks[0])
        return [_row(f"{entry.number} {entry.title}", list(grade.results.values()), "")]
    lines: list[str] = []
    for part in grade.syllabus.parts:
        entries = [e for e in grade.syllabus.tasks if e.part == part and e.name in grade.tasks]
        if not entries:
            continue
        rows = [
            (f"{entry.number} {entry.title}", grade.results_of(entry.name)) for entry in entries
        ]
        lines.append(_row(part, [result for _, results in rows for result in results], ""))
        lines.extend(_row(title, results, "  ") for title, results in rows)
    lines.append(_row("Total", list(grade.results.values()), ""))
    return lines


def how_graded(grade: Grade) -> str:
    """Return how a run was graded, as a line of text: what repeats it, and what it relied on."""
    checks = f", checks {grade.digest}" if grade.digest else ""
    return f"Clock {grade.clock}, seed {grade.seed}, isolation {grade.isolation}{checks}."


def _row(title: str, results: list[Result], indent: str) -> str:
    earned, most = score(results), maximum(results)
    filled = 20 * earned // most if most else 0
    bar = "#" * filled + "." * (20 - filled)
    left_out = sum(result.outcome == Outcome.DESELECTED for result in results)
    note = f"  ({left_out} not selected)" if left_out else ""
    return f"{indent + title:<40} [{bar}] {earned:>3} of {most:>3}{note}"
