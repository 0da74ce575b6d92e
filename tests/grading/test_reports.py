"""All formats of reports: valid whatever the grade, the same in each, and whole files."""

from __future__ import annotations

import os
import random
import time
from dataclasses import replace
from pathlib import Path

import pytest

from ml_api_lab.course import syllabus
from ml_api_lab.course.syllabus import POINTS_PER_TASK
from ml_api_lab.grading import grade as grades
from ml_api_lab.grading import reports
from ml_api_lab.grading.card import card
from ml_api_lab.grading.grade import Grade, Outcome, Result
from ml_api_lab.grading.reports import FORMATS
from tests.proofs.prover import COURSE, Prover, cases
from tests.support import readings
from tests.support.graded import ON_WINDOWS
from tests.support.grades import (
    ENDINGS,
    HOSTILE,
    IDENTITY,
    expect_agreement,
    synthetic_grade,
)


@pytest.mark.parametrize("said", ["It said 2; right is 3.", HOSTILE, HOSTILE * 500, ""])
@pytest.mark.parametrize("seed", range(4))
def test_synthetic_grades_agree(seed: int, said: str) -> None:
    draw = random.Random(seed)
    expect_agreement(
        synthetic_grade(
            draw.choices(list(Outcome), k=draw.randrange(1, 60)), said, draw.choice(ENDINGS)
        )
    )


@pytest.mark.parametrize("outcomes", [[], *([each] * 10 for each in Outcome)])
@pytest.mark.parametrize("ended", ENDINGS)
def test_uniform_grades_agree(outcomes: list[Outcome], ended: str) -> None:
    expect_agreement(synthetic_grade(outcomes, HOSTILE, ended))


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_tells_the_outcomes_apart(name: str) -> None:
    grade = synthetic_grade(list(Outcome))
    assert readings.read(name, reports.render(grade, name)).outcomes == dict.fromkeys(Outcome, 1)


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "classroom50"])
def test_each_format_says_why_a_run_did_not_end(name: str) -> None:
    # Classroom 50's has no place for it: its schema is closed, and has no text for the whole.
    assert grades.INTERRUPTED in reports.render(
        synthetic_grade([Outcome.PASSED, Outcome.NOT_RUN], ended=grades.INTERRUPTED), name
    )


@pytest.mark.parametrize("name", FORMATS)
def test_a_renderer_needs_nothing_but_the_grade(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    grade = synthetic_grade([Outcome.PASSED, Outcome.FAILED, Outcome.NOT_RUN, Outcome.DESELECTED])
    first = reports.render(grade, name)
    with monkeypatch.context() as patched:
        for variable in list(os.environ):
            patched.setenv(variable, "changed")
        patched.setattr(time, "time", lambda: 0.0)
        second = reports.render(replace(grade, results=dict(grade.results)), name)
    assert second == first


def _submissions() -> list[tuple[str, str, str]]:
    """Return solutions, stubs and mistakes as (kind, task, name): at least forty of the course."""
    names = syllabus.read(COURSE / "checks" / "syllabus.toml").names
    mistakes = [("mistake", case.task, case.name) for case in cases("mistake")]
    return [
        *(("solution", name, "") for name in names[::2]),
        *(("stub", name, "") for name in names[1::2]),
        *random.Random(1).sample(mistakes, min(len(mistakes), 24)),
    ]


SUBMISSIONS = _submissions()


@pytest.mark.parametrize(("kind", "task", "name"), SUBMISSIONS)
def test_graded_submissions_agree(
    kind: str, task: str, name: str, prover: Prover, tmp_path: Path
) -> None:
    tree = {"solution": COURSE / "solutions", "stub": COURSE / "exercises"}.get(kind, tmp_path)
    if kind == "mistake":
        next(c for c in cases("mistake") if (c.task, c.name) == (task, name)).write(tmp_path)
    verdicts = prover.grade(tree, task)
    grade = Grade(prover.syllabus, kind, "lab", 1, identity=IDENTITY)
    for check in prover.checks(task):
        verdict = verdicts[check.name]
        result = Result(check, Outcome.PASSED if verdict.message is None else Outcome.FAILED)
        if verdict.message is not None:
            result.message = verdict.message
            result.card = card(check, verdict.message, None, "pytest")
        grade.results[check.id] = result
    read = expect_agreement(grade)
    assert read.maximum == POINTS_PER_TASK
    if kind != "mistake":
        assert read.score == (POINTS_PER_TASK if kind == "solution" else 0)


def test_a_report_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (report,) = reports.parse_options([f"json={tmp_path}/deep/er/grade.json"])

    def full(*_: object) -> None:
        raise OSError("No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", full)
        with pytest.raises(OSError, match="No space"):
            reports.write(synthetic_grade([Outcome.PASSED]), report)
    assert list(report.file.parent.iterdir()) == []
    reports.write(synthetic_grade([Outcome.PASSED]), report)
    assert [path.name for path in report.file.parent.iterdir()] == ["grade.json"]


@pytest.mark.skipif(ON_WINDOWS, reason="Windows has no such permissions")
def test_a_report_has_the_permissions_of_any_file(tmp_path: Path) -> None:
    (report,) = reports.parse_options([f"json={tmp_path / 'grade.json'}"])
    reports.write(synthetic_grade([Outcome.PASSED]), report)
    (tmp_path / "other").touch()
    assert report.file.stat().st_mode == (tmp_path / "other").stat().st_mode
