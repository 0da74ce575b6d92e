"""What Classroom 50 needs to know of a run."""

from __future__ import annotations

import re

import pytest

from ml_api_lab.errors import CourseError
from ml_api_lab.grading.reports.classroom50 import identity
from tests.support import graded


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"OWNER": ""}, "OWNER (or USERNAME)"),
        ({"SUBMISSION_TAG": "v1"}, "begins with submit/"),
        ({"ASSIGNMENT_TYPE": "solo"}, "valid are individual, group, team"),
    ],
)
def test_classroom50_needs_to_know_whose_it_is(change: dict[str, str], sentence: str) -> None:
    with pytest.raises(CourseError, match=re.escape(sentence)):
        identity({**graded.IDENTITY, **change})
