"""`gradescope`: the file `/autograder/results/results.json` of a Gradescope autograder.

After Gradescope's "Autograder Specifications" (gradescope-autograders.readthedocs.io, "specs"; its
source is `docs/specs.md` of gradescope/autograder_samples): the `score` on top wins over the sum of
the tests', which here is the same; every text has a format, and `text` is shown as it is, without
HTML, Markdown or colours; a test passes by having its maximum unless `status` says otherwise.
"""

from __future__ import annotations

import json
from typing import Any

from ml_api_lab.grading.grade import Grade, Outcome, Result


def render(grade: Grade) -> str:
    """Return the grade as Gradescope's results."""
    told = [f"{grade.score} of {grade.maximum} points.", *grade.notes]
    content = {
        "score": grade.score,
        "execution_time": round(sum(each.real_time for each in grade.results.values()), 3),
        "output": "\n".join(told),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "extra_data": {
            "maximum": grade.maximum,
            "tree": grade.tree,
            "clock": grade.clock,
            "seed": grade.seed,
            "isolation": grade.isolation,
            "ended": grade.ended,
        },
        "tests": [_test(grade, result) for result in grade.results.values()],
    }
    return json.dumps(content, indent=2) + "\n"


def _test(grade: Grade, result: Result) -> dict[str, Any]:
    check = result.check
    name = f"{grade.syllabus.entry(check.task).number} {check.title}"
    test: dict[str, Any] = {
        "score": result.points,
        "max_score": check.points,
        "name": f"{name} (not selected)" if result.outcome == Outcome.DESELECTED else name,
        "name_format": "text",
        "output": _output(result),
        "output_format": "text",
        "tags": [check.task, result.outcome],
        "visibility": "visible",
        "extra_data": {"id": check.id, "outcome": result.outcome},
    }
    if result.outcome != Outcome.DESELECTED:
        test["status"] = "passed" if result.outcome == Outcome.PASSED else "failed"
    return test


def _output(result: Result) -> str:
    return {
        Outcome.PASSED: "",
        Outcome.FAILED: result.card or result.message,
        Outcome.NOT_RUN: "The check was not run.",
        Outcome.DESELECTED: "The check was not selected, which is not a failure.",
    }[result.outcome]
