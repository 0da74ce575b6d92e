"""`classroom50`: the file `result.json` of a Classroom 50 autograder.

After "The `result.json` contract" in Classroom 50's wiki ("Advanced Autograding") and
`schemas/result-v1.schema.json` of foundation50/classroom50: the points are whole numbers, unknown
keys are refused except in a test, and `classroom`, `assignment` and `owner` must be those of the
student's repository. They, like the links, come from the environment that its runner gives the
autograder. The runner puts the commit's date in place of `datetime`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC
from typing import Any

from ml_api_lab.errors import CourseError
from ml_api_lab.grading.grade import Grade, Outcome, Result

SCHEMA = "classroom50/result/v1"

_NEEDED = ("CLASSROOM", "ASSIGNMENT", "SUBMISSION_TAG", "COMMIT_URL", "RELEASE_URL")
_TYPES = ("individual", "group", "team")


def identity(environment: Mapping[str, str]) -> dict[str, str]:
    """Return whose submission it is, in the words of the format.

    Raises:
        CourseError: the environment does not say it.
    """
    said = {name: value for name, value in environment.items() if value}
    missing = [name for name in _NEEDED if name not in said]
    owner = said.get("OWNER", said.get("USERNAME"))
    if owner is None:
        missing.append("OWNER (or USERNAME)")
    if missing or owner is None:
        raise CourseError(
            f"--report classroom50 needs {', '.join(missing)} in the environment, as Classroom "
            "50's runner sets them; elsewhere another format is right, such as --report json."
        )
    if not said["SUBMISSION_TAG"].startswith("submit/"):
        raise CourseError(
            f"SUBMISSION_TAG is {said['SUBMISSION_TAG']!r}; valid for --report classroom50 is a "
            "tag that begins with submit/."
        )
    mode = said.get("ASSIGNMENT_TYPE", _TYPES[0])
    if mode not in _TYPES:
        raise CourseError(f"ASSIGNMENT_TYPE is {mode!r}; valid are {', '.join(_TYPES)}.")
    return {
        "classroom": said["CLASSROOM"],
        "assignment": said["ASSIGNMENT"],
        "assignment_type": mode,
        "owner": owner,
        "submission": said["SUBMISSION_TAG"],
        "commit": said["COMMIT_URL"],
        "release": said["RELEASE_URL"],
        "review": said.get("REVIEW_URL", said["COMMIT_URL"]),
    }


def render(grade: Grade) -> str:
    """Return the grade as Classroom 50's result; the grade must know whose submission it is."""
    began = grade.began.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    content = {
        "schema": SCHEMA,
        **grade.identity,
        "datetime": began,
        "graded_at": began,
        "score": grade.score,
        "max-score": grade.maximum,
        "tests": [_test(grade, result) for result in grade.results.values()],
    }
    return json.dumps(content, indent=2) + "\n"


def _test(grade: Grade, result: Result) -> dict[str, Any]:
    check = result.check
    return {
        "test-name": f"{grade.syllabus.entry(check.task).number} {check.title}",
        "passed": result.outcome == Outcome.PASSED,
        "score": result.points,
        "max-score": check.points,
        "outcome": result.outcome,
        "message": result.message,
        "isolation": grade.isolation,  # the format takes fields of one's own only here
    }
