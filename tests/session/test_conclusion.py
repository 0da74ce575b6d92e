"""How a run ends: its status, and the same grade in all its reports."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ml_api_lab.course.syllabus import POINTS_PER_TASK
from ml_api_lab.grading import grade as grades
from ml_api_lab.grading.grade import Outcome
from tests.support import graded
from tests.support.graded import ON_WINDOWS
from tests.support.grades import (
    HOSTILE_PROGRAM,
    said_by_all,
)
from tests.support.readings import Reading
from tests.support.toy import LIMIT, Course
from tests.support.toy_tasks import CHECKS, RIGHT, WRONG

PROGRAMS: dict[str, tuple[dict[str, str], int, int]] = {
    "full": ({}, 30, 0),
    "partial": ({"task_0_1": "print('hello')"}, 24, 1),
    "zero": (dict.fromkeys(graded.RIGHT, "print('no')"), 0, 1),
    "raises": ({"task_0_2": "raise SystemError('::error::forged')"}, 20, 1),
    "syntax error": ({"task_0_2": "def"}, 20, 1),
    "exits": ({"task_0_2": "import os; os._exit(0)"}, 20, 1),
    "kills itself": ({"task_0_2": "import os, signal; os.kill(os.getpid(), 9)"}, 20, 1),
    "kills its group": ({"task_0_2": "import os; os.killpg(0, 9)"}, 20, 1),
    "kills its parent": ({"task_0_2": "import os; os.kill(os.getppid(), 15)"}, 20, 1),
    "never ends": ({"task_0_2": "while True: pass"}, 20, 1),
    "prints without end": ({"task_0_2": "while True: print('x' * 4096)"}, 20, 1),
    "deletes its folder": ({"task_0_2": "import shutil; shutil.rmtree('.')"}, 20, 1),
    "breaks the link": (
        {
            "task_0_2": "import os\nfor n in range(3, 64):\n  try: os.write(n, b'x' * 99)\n"
            "  except OSError: pass\n"
        },
        20,
        1,
    ),
    "hostile": ({"task_0_2": HOSTILE_PROGRAM}, 20, 1),
}


POSIX_ONLY = {"kills itself", "kills its group", "kills its parent"}


@pytest.mark.parametrize("name", PROGRAMS)
def test_runs_agree(name: str, small_course: Path, tmp_path: Path) -> None:
    if ON_WINDOWS and name in POSIX_ONLY:
        pytest.skip("needs POSIX signals")
    if os.environ.get("LAB_FORK") == "0" and name == "kills its parent":
        pytest.skip("its parent is pytest itself")
    programs, score, status = PROGRAMS[name]
    tree = graded.submit(tmp_path / "tree", **programs)
    # Only what never ends is cut short: the others have time enough on any machine.
    budget = 5 if name == "never ends" else LIMIT
    options = (f"--budget={budget}", "--isolation=none")  # a tier would spare the harness
    ran = graded.grade(small_course, tree, tmp_path / "reports", *options)
    said = said_by_all(ran)
    assert (said.score, said.maximum, ran.status) == (score, graded.MAXIMUM, status), ran.output
    assert said.outcomes.keys() <= {Outcome.PASSED, Outcome.FAILED}


def test_stopping_at_the_first_failure_keeps_the_maximum(
    small_course: Path, tmp_path: Path
) -> None:
    ran = graded.grade(small_course, "exercises", tmp_path, "-x")
    assert said_by_all(ran) == Reading(0, graded.MAXIMUM, {Outcome.FAILED: 1, Outcome.NOT_RUN: 3})
    assert ran.status == 1
    assert grades.STOPPED in ran.reports["json"].read_text("utf-8")


def test_deselected_is_not_failed(small_course: Path, tmp_path: Path) -> None:
    ran = graded.grade(small_course, "solutions", tmp_path, "-k", "waits")
    assert said_by_all(ran) == Reading(
        6, POINTS_PER_TASK, {Outcome.PASSED: 1, Outcome.DESELECTED: 1}
    )
    assert ran.status == 0


def test_one_check_alone(small_course: Path, tmp_path: Path) -> None:
    chosen = "checks/task_0_1/test_task_0_1.py::test_greets"
    ran = graded.grade(small_course, "solutions", tmp_path, chosen)
    assert said_by_all(ran) == Reading(
        4, POINTS_PER_TASK, {Outcome.PASSED: 1, Outcome.DESELECTED: 1}
    )
    assert ran.status == 0


def test_a_task_alone(small_course: Path, tmp_path: Path) -> None:
    ran = graded.grade(small_course, "solutions", tmp_path, "checks/task_0_2")
    assert said_by_all(ran) == Reading(10, POINTS_PER_TASK, {Outcome.PASSED: 1})
    assert "1 of 3 tasks" in ran.reports["markdown"].read_text("utf-8")


def test_nothing_selected(small_course: Path, tmp_path: Path) -> None:
    ran = graded.grade(small_course, "solutions", tmp_path, "-k", "nonesuch")
    assert said_by_all(ran) == Reading(0, 0, {})
    assert ran.status == 5


def test_a_check_that_does_not_load_keeps_its_points(tmp_path: Path) -> None:
    course = graded.build(tmp_path / "course")
    broken = course / "checks" / "task_0_2" / "test_task_0_2.py"
    broken.write_text("import nonesuch\n" + broken.read_text())
    ran = graded.grade(course, "solutions", tmp_path / "reports")
    said = said_by_all(ran)
    assert (said.maximum, said.outcomes) == (graded.MAXIMUM, {Outcome.NOT_RUN: 4})
    assert ran.status == 3


@pytest.mark.parametrize(
    ("where", "what"),
    [
        ("fixture", "@pytest.fixture(autouse=True)\ndef fails(): raise HarnessError('no host')"),
        ("pytest", "def pytest_runtest_logreport(report): 1 / 0"),
    ],
)
def test_a_harness_that_fails_says_so(where: str, what: str, tmp_path: Path) -> None:
    course = graded.build(tmp_path / "course")
    lead = "import pytest\nfrom ml_api_lab.errors import HarnessError\n"
    (course / "checks" / "task_0_2" / "conftest.py").write_text(lead + what)
    ran = graded.grade(course, "solutions", tmp_path / "reports")
    assert said_by_all(ran).maximum == graded.MAXIMUM
    assert ran.status == 3
    assert grades.HARNESS_FAILED in ran.reports["json"].read_text("utf-8")
    assert '"gradable": false' in ran.reports["prairielearn"].read_text("utf-8")


def test_the_run_ends_early(tmp_path: Path) -> None:
    """What was not run is named, and scores nothing."""
    course = Course(tmp_path / "course")
    course.task("task_0_1", CHECKS, WRONG)
    first = course.run("-x")
    assert (first.status, first.score) == (1, (0, 10))
    assert first.outcomes == {"task_0_1 test_greets": "failed", "task_0_1 test_waits": "not run"}
    interrupting = CHECKS.replace("run = await task.run()", "raise KeyboardInterrupt", 1)
    course.task("task_0_1", interrupting, RIGHT)
    second = course.run()
    assert (second.status, second.score) == (2, (0, 10))
    assert second.report is not None
    assert second.report["ended"] == "interrupted"
    assert set(second.outcomes.values()) == {"not run"}


def test_a_faulty_check_has_a_status_of_its_own(tmp_path: Path) -> None:
    """Nobody is to take an author's mistake for the student's."""
    course = Course(tmp_path / "course")
    waits = CHECKS.replace("run = await task.run()", "await asyncio.Event().wait()", 1)
    course.task("task_0_1", waits, RIGHT)
    result = course.run()
    assert result.status == 3
    assert result.report is not None
    assert result.report["ended"].startswith("the harness failed")
    assert result.outcomes == {"task_0_1 test_greets": "failed", "task_0_1 test_waits": "passed"}
    assert "The check itself waits for something that can never come" in result.text


def test_a_broken_module_of_checks(tmp_path: Path) -> None:
    """It is the course's fault, but no point vanishes."""
    course = Course(tmp_path / "course")
    course.task("task_0_1", CHECKS, RIGHT)
    course.task("task_0_2", "import nothing_such\n" + CHECKS, RIGHT)
    result = course.run("--continue-on-collection-errors")
    assert result.status == 3
    assert result.score == (10, 20)
    assert set(result.outcomes.values()) == {"passed", "not run"}
