"""What a grading comes to: what is shown of it, what is remembered, and its exit status."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ml_api_lab.course.place import Place
from ml_api_lab.exit_status import ExitStatus
from ml_api_lab.grading.grade import HARNESS_FAILED, INTERRUPTED, Grade, score
from ml_api_lab.grading.problems import problem_lines
from ml_api_lab.grading.shown import choose_cards, grade_lines, not_begun_lines
from ml_api_lab.progress.next_step import next_line
from ml_api_lab.progress.record import record
from ml_api_lab.trials.grader import Grading


def cards(grading: Grading, *, all_of_them: bool) -> list[str]:
    """Return the cards to show, the same as pytest does; with `all_of_them`, as with its `-v`."""
    failed = {each.check.id: each for each in grading.failed if not each.is_absent}
    if all_of_them:
        return [grading.card(each, is_whole=True) for each in failed.values()]
    of_task = {
        task: [(id_, each) for id_, each in failed.items() if each.check.task == task]
        for task in grading.grade.tasks
    }
    shown = choose_cards(grading.grade, of_task, grading.is_untouched)
    return [_with_rows(grading.card(failed[each.card]), each.rows) for each in shown]


def _with_rows(card: str, rows: list[str]) -> str:
    """Return a card with the rows about others above its last one, the command."""
    text, gap, command = card.rpartition("\n\n")
    return "\n\n".join(filter(None, [text, "\n".join([*rows, command])])) if gap else card


def not_begun(place: Place, grading: Grading) -> list[str]:
    """Return a line for each task that is still as it was handed out."""
    return not_begun_lines(grading.grade, place.course, grading.tree, grading.is_untouched)


def conclude(place: Place, grading: Grading) -> Iterator[str]:
    """Yield the lines that stand below a grading's cards."""
    grade = grading.grade
    yield f"{grade.syllabus.title}: {grade.tree}"
    yield from problem_lines(place.course, grading.tree, grading.failed)
    yield from not_begun(place, grading)
    yield from grade_lines(grade)
    yield from grading.isolation.notes
    if not grade.ended:
        points = {task: score(grade.results_of(task)) for task in grade.tasks}
        if line := next_line(place.course, place.here, place.syllabus, points):
            yield line


def remember(place: Place, grading: Grading, digests: Mapping[str, str]) -> str:
    """Write a grading into the history; return why that failed, "" if it did not.

    It takes as long as the disk does, so it comes after everything that somebody waits for.

    Args:
        digests: the digests of what was graded, by task.
    """
    return record(place.course, grading.grade, digests, "lab")


def status(grade: Grade) -> ExitStatus:
    """Return the exit status of a grade, which is pytest's for the same."""
    if grade.ended == INTERRUPTED:
        return ExitStatus.INTERRUPTED
    if grade.ended == HARNESS_FAILED:
        return ExitStatus.HARNESS_FAILED
    return ExitStatus.POINTS_MISSING if grade.missing else ExitStatus.ALL_POINTS
