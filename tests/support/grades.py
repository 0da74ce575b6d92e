"""Grades for the tests of reports: made up, hostile, and read back from every format."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

from ml_api_lab.course.catalog import Check
from ml_api_lab.course.syllabus import Entry, Syllabus
from ml_api_lab.grading import grade as grades
from ml_api_lab.grading import reports
from ml_api_lab.grading.card import card, message_of
from ml_api_lab.grading.grade import Grade, Outcome, Result
from ml_api_lab.grading.reports import FORMATS
from ml_api_lab.grading.reports.classroom50 import identity
from ml_api_lab.lab_time import Span, seconds
from ml_api_lab.sandbox.transcript import Frame, Line, Raised, Transcript
from tests.support import graded, readings
from tests.support.readings import Reading

IDENTITY = identity(graded.IDENTITY)


HOSTILE = (
    "::error::forged\n  ::set-output name=grade::200\n\u3000::add-mask::0\nsee ##[error]forged\n"
    "##vso[task.complete result=Succeeded;]\r##TeamCity[testFinished]\x1b[2J\x1b]0;title\x07\x9b1m"
    "</pre></details><script>forged()</script>\n```\n| a | b |\n# 200 of 200 points\n"
    "]]></failure><testcase/>&amp;&#0;\x00\x08\ufffe\uffff\ud800\u202egnp.\u2066\u200b\ufeff\u2028"
    "\n{{7*7}}${7*7}@everyone #1 \\u001b \U000e0041\n"
)
"""What a submission might say in order to be obeyed or to fool a reader."""

HOSTILE_PROGRAM = (
    f"import sys\nsys.stdout.reconfigure(errors='surrogatepass')\n"
    f"print({HOSTILE!r})\nraise ValueError({HOSTILE!r})"
)
"""A program that says so, and raises an exception that does."""


ENDINGS = ("", grades.INTERRUPTED, grades.STOPPED, grades.HARNESS_FAILED)


def expect_agreement(grade: Grade) -> Reading:
    """Read the grade back from every format; return what all of them say."""
    said = {name: readings.read(name, reports.render(grade, name)) for name in FORMATS}
    expected = Reading(
        grade.score,
        grade.maximum,
        {
            outcome: number
            for outcome in Outcome
            if (number := sum(each.outcome == outcome for each in grade.results.values()))
        },
    )
    assert {name: each for name, each in said.items() if each != expected} == {}
    return expected


def synthetic_grade(
    outcomes: list[Outcome], said: str = "It said 2; right is 3.", ended: str = ""
) -> Grade:
    """Return a grade with those outcomes, five checks a task."""
    points = (1, 1, 2, 3, 3)
    number = -(-len(outcomes) // len(points)) + 1
    entries = tuple(
        Entry(f"task_{n // 4}_{n % 4 + 1}", f"Task {n}", f"Part {n // 4}: a | b <c>")
        for n in range(number)
    )
    transcript = Transcript(Path(), Path(), "exercises/task_0_1")
    transcript.entries = [(Span(0), f"-> POST / {said}")] * 30
    transcript.lines = [Line(line, Span(0)) for line in said.split("\n")]
    transcript.raised = [Raised("E", said, (Frame("main.py", 1, "f", said),), "run", 0, Span(0))]
    results = {}
    for place, outcome in enumerate(outcomes):
        task, nth = divmod(place, len(points))
        check = Check(
            task=entries[task].name,
            file=f"test_{entries[task].name}.py",
            name=f"test_{nth}",
            title=f"Check {nth} & <co> | `more`",
            points=points[nth],
            hint="Why?",
        )
        result = Result(check, outcome, lab_time=seconds(3), real_time=0.01)
        if outcome == Outcome.FAILED:
            result.message = message_of(AssertionError(said))
            result.card = card(check, result.message, transcript, "pytest")
        results[check.id] = result
    return Grade(
        Syllabus("A <course> | of *much*", entries),
        "exercises",
        "lab",
        1,
        results,
        ended,
        datetime(2026, 6, 1, 14, 32, 5, tzinfo=UTC),
        IDENTITY,
    )


def said_by_all(ran: graded.Ran) -> Reading:
    """Return what all reports of a run say."""
    said = [readings.read(name, path.read_text("utf-8")) for name, path in ran.reports.items()]
    assert all(each == said[0] for each in said), said
    return said[0]


def obeyed_by_terminals(text: str) -> list[str]:
    """Return what a terminal or a CI service would obey in that text."""
    lines = [line for line in text.split("\n") if line.lstrip().startswith("::")]
    commands = re.findall(r"##\[.*|##vso\[.*|##teamcity\[.*", text, re.IGNORECASE)
    controls = re.findall(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", text)
    return [*lines, *commands, *controls]
