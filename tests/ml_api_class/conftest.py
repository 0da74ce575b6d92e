"""What the tests of grading a class share: a toy class, and engines that need no process."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ml_api_class.toy_class import ToyClass
from tests.support.toy import Course


@pytest.fixture
def toy_class(course: Course, tmp_path: Path) -> ToyClass:
    """A class of the toy course, into which a test lets students hand something in."""
    return ToyClass(course.root, tmp_path)
