"""JUnit's dialect: that of pytest's own reports."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as Xml

from ml_api_lab.grading import reports
from ml_api_lab.grading.grade import Outcome
from tests.support import graded
from tests.support.grades import (
    HOSTILE,
    synthetic_grade,
)


def test_junit_has_no_word_that_pytest_has_not(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_all.py").write_text(
        "import pytest\n"
        "def test_passes(record_property): record_property('score', 1)\n"
        "def test_fails(): assert False\n"
        "@pytest.fixture\ndef broken(): assert False\n"
        "def test_breaks(broken): pass\n"
        "def test_skips(): pytest.skip('no')\n"
        "def test_suite(record_testsuite_property): record_testsuite_property('score', 1)\n"
    )
    graded.pytest(tmp_path, "--junitxml=own.xml")
    theirs = _words(Xml.parse(tmp_path / "own.xml").getroot())
    ours = _words(Xml.fromstring(reports.render(synthetic_grade(list(Outcome), HOSTILE), "junit")))
    assert ours - theirs == set()
    assert theirs - ours == {("testsuite", "hostname")}


def _words(root: Xml.Element) -> set[tuple[str, str]]:
    """Return the elements' places and attributes."""
    found = {(element.tag, attribute) for element in root.iter() for attribute in element.attrib}
    return found | {(element.tag, f"/{child.tag}") for element in root.iter() for child in element}
