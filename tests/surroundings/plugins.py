"""Grades beside other plugins of pytest's; run by ``tox -e plugins``, where they are installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.toy import Course
from tests.support.toy_tasks import CHECKS, two_tasks

HANGS = "while True: pass\n"


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    return two_tasks(tmp_path_factory.mktemp("plugins") / "course")


@pytest.mark.parametrize(
    "options",
    [
        "--reruns=2",
        "--cov=solutions --cov=shared --cov-report=term",
        "--timeout=60",
        "--timeout=60 --timeout-method=thread",
        "-p randomly --randomly-seed=3",
        "--force-sugar",
        "--reruns=1 --force-sugar --timeout=60 --cov=solutions",
    ],
)
def test_a_plugin_changes_no_grade(options: str, course: Course) -> None:
    right = course.run("--tree=solutions", *options.split(), PYTEST_DISABLE_PLUGIN_AUTOLOAD="")
    assert (right.status, right.score) == (0, (20, 20)), right.text
    wrong = course.run(*options.split(), PYTEST_DISABLE_PLUGIN_AUTOLOAD="")
    assert (wrong.status, wrong.score) == (1, (0, 20)), wrong.text
    for result in (right, wrong):
        assert "Traceback" not in result.text
        assert "INTERNALERROR" not in result.text
    assert wrong.messages["task_0_2 test_waits"] == "It took 0 s; 2 s is right."


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ("--count=2", "a plugin of pytest's (such as pytest-repeat with --count) has made several"),
        ("--flake-finder --flake-runs=2", "a plugin of pytest's (such as pytest-repeat"),
        ("--forked", "Checks are not graded with pytest-forked (--forked), and run side by side"),
        ("--tx=2*popen --dist=load", "Checks are not graded with pytest-xdist (--tx), and run"),
    ],
)
def test_a_plugin_that_runs_checks_elsewhere_or_often_is_refused(
    options: str, sentence: str, course: Course
) -> None:
    result = course.run(
        "--tree=solutions", *options.split(), report=False, PYTEST_DISABLE_PLUGIN_AUTOLOAD=""
    )
    assert result.status == 4
    assert sentence in " ".join(result.text.split())
    assert "Traceback" not in result.text


def test_a_time_out_ends_a_check_and_not_the_run(tmp_path: Path) -> None:
    course = Course(tmp_path / "course")
    course.task("task_0_1", CHECKS, HANGS)
    course.task("task_0_2", CHECKS, "print('hello')\nimport time; time.sleep(2)\n")
    result = course.run("--timeout=3", PYTEST_DISABLE_PLUGIN_AUTOLOAD="")
    assert (result.status, result.score) == (1, (10, 20))
    ended = "The check was ended before it had its answer: Timeout (>3.0s) from pytest-timeout."
    assert set(result.messages.values()) == {ended}
    assert "INTERNALERROR" not in result.text
