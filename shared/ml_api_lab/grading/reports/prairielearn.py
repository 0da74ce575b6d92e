"""`prairielearn`: the file `/grade/results/results.json` of a PrairieLearn external grader.

After PrairieLearn's "External Grading" (`docs/externalGrading.md` of PrairieLearn/PrairieLearn):
`score` is a fraction from 0 to 1; `gradable: false` costs the student no attempt, and is said here
when the harness failed; the file holds at most 1 MB. Its element `pl-external-grader-results` adds
the tests' points up itself, shows red what lacks points, and escapes HTML.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ml_api_lab.grading.grade import HARNESS_FAILED, Grade, Outcome, Result
from ml_api_lab.grading.reports.truncation import fit

LIMIT_BYTES = 1_000_000


def render(grade: Grade) -> str:
    """Return the grade as PrairieLearn's results."""
    return fit(lambda short: _render(grade, short), LIMIT_BYTES)


def _render(grade: Grade, short: Callable[[str], str]) -> str:
    told = [f"{grade.score} of {grade.maximum} points.", *grade.notes]
    message = "\n".join([*told, f"Isolation: {grade.isolation}."])
    gradable = grade.ended != HARNESS_FAILED
    content: dict[str, Any] = {
        "gradable": gradable,
        "score": grade.score / grade.maximum if grade.maximum else 0.0,
        "message": message,
        "tests": [_test(grade, result, short) for result in grade.results.values()],
    }
    if not gradable:
        content["format_errors"] = [message]
    return json.dumps(content, indent=1) + "\n"


def _test(grade: Grade, result: Result, short: Callable[[str], str]) -> dict[str, Any]:
    check = result.check
    name = f"{grade.syllabus.entry(check.task).number} {check.title}"
    told = {
        Outcome.NOT_RUN: "The check was not run.",
        Outcome.DESELECTED: "The check was not selected.",
    }
    return {
        "name": f"{name} (not selected)" if result.outcome == Outcome.DESELECTED else name,
        "description": f"{check.id}: {result.outcome}",
        "points": result.points,
        "max_points": check.points,
        "message": told.get(result.outcome, result.message),
        "output": short(result.card),
    }
