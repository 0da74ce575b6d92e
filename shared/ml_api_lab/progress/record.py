"""Recording: each grade of a student's own tree becomes a line of history and a kept state.

Nothing that goes wrong here may cost a grade: a lab that cannot be written works without.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from ml_api_lab.course.snapshot import Snapshot
from ml_api_lab.errors import LabError
from ml_api_lab.grading.grade import HARNESS_FAILED, Grade, Outcome, maximum, score
from ml_api_lab.progress.folder import lab_folder
from ml_api_lab.progress.history import Graded, History
from ml_api_lab.progress.snapshots import Snapshots

_WHOLE = {Outcome.PASSED, Outcome.FAILED}


def keep_snapshots(course: Path, tasks: Iterable[str]) -> dict[str, str]:
    """Keep the states of tasks that are about to be graded; return the digests of those kept."""
    snapshots = Snapshots(lab_folder(course))
    kept: dict[str, str] = {}
    for task in tasks:
        try:
            state = Snapshot.read(course / "exercises" / task)
            if state.names:
                kept[task] = snapshots.keep_graded(task, state)
        except (OSError, LabError):
            continue
    return kept


def record(course: Path, grade: Grade, digests: Mapping[str, str], program: str) -> str:
    """Write a line for each task that was graded whole.

    Args:
        digests: the digests of what was graded, by task.
        program: "pytest" or "lab".

    Returns:
        Why nothing was written, in a sentence; "" if it was.
    """
    if grade.ended == HARNESS_FAILED:
        return ""
    rows = []
    at = time.time()  # the same for all tasks of a run
    for task in grade.tasks:
        results = grade.results_of(task)
        if not _WHOLE.issuperset(each.outcome for each in results):
            continue
        failed = next((each for each in results if each.outcome == Outcome.FAILED), None)
        rows.append(
            Graded(
                at=at,
                task=task,
                points=score(results),
                maximum=maximum(results),
                seconds=sum(each.real_time for each in results),
                seed=grade.seed,
                state=digests.get(task, ""),
                failed="" if failed is None else failed.check.id,
                hint="" if failed is None else failed.hint,
                program=program,
            )
        )
    try:
        if rows:
            History(lab_folder(course)).add(rows)
    except OSError as error:
        return f"The history was not written: {error}."
    return ""
