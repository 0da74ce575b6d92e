"""What one student is told: points, and one card for each cause of a loss."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ml_api_class.journal.records import Standing
from ml_api_class.task_files import TaskFiles
from ml_api_class.verdict import CheckVerdict, TaskVerdict
from ml_api_lab.course import stubs
from ml_api_lab.course.syllabus import Syllabus
from ml_api_lab.errors import CourseError


@dataclass(frozen=True)
class Loss:
    """Failed checks of a task that say the same, and their card.

    Attributes:
        checks: the first is the card's own.
    """

    checks: tuple[CheckVerdict, ...]

    @property
    def card(self) -> str:
        return self.checks[0].card

    @property
    def points(self) -> int:
        """How many points it costs."""
        return sum(each.maximum - each.points for each in self.checks)


@dataclass(frozen=True)
class TaskFeedback:
    """One task.

    Attributes:
        is_untouched: whether its files are still those that were handed out.
    """

    number: str
    title: str
    part: str
    score: int
    maximum: int
    is_untouched: bool
    losses: tuple[Loss, ...]


@dataclass(frozen=True)
class Feedback:
    """What one student is told.

    Attributes:
        heading: their name, their id, or a pseudonym.
        problem: why there is no grade, "" if there is one.
    """

    course: str
    heading: str
    problem: str
    is_late: bool
    tasks: tuple[TaskFeedback, ...]
    notes: tuple[str, ...]

    @property
    def score(self) -> int:
        return sum(each.score for each in self.tasks)

    @property
    def maximum(self) -> int:
        return sum(each.maximum for each in self.tasks)


def of_standing(
    standing: Standing,
    heading: str,
    course: Path,
    syllabus: Syllabus,
    packed: Callable[[str], bytes],
) -> Feedback:
    """Return what the student of a submission is told.

    Args:
        packed: returns the packed files with a digest.
    """
    by_task = {each.task: each for each in standing.verdicts}
    tasks = []
    for entry in syllabus.tasks:
        if (verdict := by_task.get(entry.name)) is None:
            continue
        files = TaskFiles.unpack(packed(standing.submission.files[entry.name]))
        is_untouched = verdict.score == 0 and is_untouched_task(course, entry.name, files)
        tasks.append(
            TaskFeedback(
                entry.number,
                entry.title,
                entry.part,
                verdict.score,
                verdict.maximum,
                is_untouched,
                () if is_untouched else losses(verdict),
            )
        )
    return Feedback(
        syllabus.title,
        heading,
        standing.reason,
        bool(standing.submission.person.is_late),
        tuple(tasks),
        standing.submission.notes,
    )


def losses(verdict: TaskVerdict) -> tuple[Loss, ...]:
    """Return the failed checks of a task, those that say the same together."""
    same: dict[str, list[CheckVerdict]] = {}
    for check in verdict.checks:
        if not check.passed:
            same.setdefault(check.message, []).append(check)
    return tuple(Loss(tuple(each)) for each in same.values())


def is_untouched_task(course: Path, task: str, files: TaskFiles) -> bool:
    """Whether a task's files are still those that were handed out."""
    try:
        stub = stubs.read(course, task)
    except CourseError:
        return False
    handed_out = {name: file.data for name, file in stub.files.items()}
    return _one_line_end(handed_out) == _one_line_end(
        {name: file.data for name, file in files.files.items()}
    )


def _one_line_end(files: dict[str, bytes]) -> dict[str, bytes]:
    return {name: data.replace(b"\r\n", b"\n") for name, data in files.items()}
