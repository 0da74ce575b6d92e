"""The plugin's options: which runs are refused, and which have no grade."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support import graded
from tests.support.toy import Course
from tests.support.toy_tasks import CHECKS, ONE_CHECK


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["--tree=nowhere"], "There is no tree 'nowhere'; valid are exercises, solutions, or"),
        (["--tree=Solutions"], "There is no tree 'Solutions'; did you mean --tree=solutions?"),
        (["--tree=pyproject.toml"], "'pyproject.toml' is a file, and a tree is a folder; unpack"),
        (["--tree="], "The name of the tree is empty: is the variable set that it comes from?"),
        (["--report=xml=a.xml"], "--report 'xml=a.xml' is not FORMAT=FILE with a known format"),
        (["--budget=0"], "'0' is no number of seconds above 0, as in --budget=20"),
        (["--budget=nan"], "'nan' is no number of seconds above 0"),
        (["--budget=long"], "'long' is no number of seconds above 0"),
        (["checks/task_9_9"], "'checks/task_9_9' is no task of the course; valid are checks/task_"),
        (["exercises/tsk_0_1"], "'exercises/tsk_0_1' is no task of the course; did you mean check"),
        (["task-0.2"], "'task-0.2' is no task of the course; did you mean checks/task_0_2?"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_refused(args: list[str], sentence: str, course: Course) -> None:
    result = course.run(*args, report=False)
    assert result.status == 4
    assert sentence in result.text
    assert "Traceback" not in result.text
    assert "INTERNALERROR" not in result.text


@pytest.mark.parametrize("args", [["checks/task_0_1", "-n2"], ["-n2"]])
def test_workers_are_refused(args: list[str], course: Course) -> None:
    pytest.importorskip("xdist")
    result = course.run(*args, report=False, PYTEST_DISABLE_PLUGIN_AUTOLOAD="")
    assert result.status == 4
    assert "Checks are not graded with pytest-xdist (-n), and run side by side" in result.text


REPEATS = """
import pytest

@pytest.fixture
def repetition(request):
    pass

def pytest_generate_tests(metafunc):
    metafunc.fixturenames.append("repetition")
    metafunc.parametrize("repetition", range(2), indirect=True)
"""


def test_a_check_runs_once(tmp_path: Path) -> None:
    """A plugin such as pytest-repeat makes several tests of one."""
    course = Course(tmp_path / "course")
    course.task("task_0_1", ONE_CHECK, "")
    (course.root / "repeats.py").write_text(REPEATS, encoding="utf-8")
    result = course.run("-p", "repeats", PYTHONPATH=str(course.root))
    assert (result.status, result.report) == (4, None)
    assert "made several tests of checks/task_0_1/test_toy.py::test_one; leave out its option." in (
        " ".join(result.text.split())
    )


ENDS = """
import pytest, signal

@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    def end(number, frame):
        pytest.fail("too late")
    signal.signal(signal.SIGALRM, end)
    signal.alarm(2)
    try:
        return (yield)
    finally:
        signal.alarm(0)
"""


@pytest.mark.skipif(os.name != "posix", reason="there are no alarms")
def test_a_check_that_a_plugin_ends_does_not_end_the_run(tmp_path: Path) -> None:
    """As pytest-timeout does it, with an exception out of a signal."""
    course = Course(tmp_path / "course")
    course.task("task_0_1", CHECKS, "while True: pass")
    (course.root / "ends.py").write_text(ENDS, encoding="utf-8")
    result = course.run("-p", "ends", PYTHONPATH=str(course.root))
    assert (result.status, result.score) == (1, (0, 10))
    ended = "The check was ended before it had its answer: too late"
    assert set(result.messages.values()) == {ended}


def test_other_tests_are_left_alone(tmp_path: Path) -> None:
    """A test outside `checks` is a test, without points and without a task."""
    course = Course(tmp_path / "course")
    course.task("task_0_1", ONE_CHECK, "")
    other = course.root / "other"
    other.mkdir()
    (other / "test_other.py").write_text(
        "import asyncio\n\n\nasync def test_other():\n    await asyncio.sleep(0)\n",
        encoding="utf-8",
    )
    result = course.run("other")
    assert (result.status, result.score) == (0, (0, 0))
    assert "Toy course:" not in result.text


@pytest.mark.parametrize("asked", ["--collect-only", "--fixtures", "--fixtures-per-test"])
def test_what_runs_nothing_has_no_grade(asked: str, course: Course) -> None:
    result = course.run(asked, "-q")
    assert result.status == 0
    assert result.report is None
    assert "test_greets" in result.text or asked == "--fixtures"
    assert "Clock lab" not in result.text


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            ["yaml=x"],
            "valid formats are json, junit, markdown, html, gradescope, classroom50",
        ),
        (["json"], "'json' is not FORMAT=FILE"),
        (["json="], "'json=' is not FORMAT=FILE"),
        (["json={tmp}"], "it is a folder; give a file"),
        (["json={tmp}/file/grade.json"], "cannot be written"),
        (["json={tmp}/a", "junit={tmp}/b/../a"], "give each its own file"),
        (["classroom50={tmp}/a"], "needs CLASSROOM, ASSIGNMENT, SUBMISSION_TAG, COMMIT_URL"),
    ],
)
def test_what_cannot_be_written_is_refused(
    options: list[str], sentence: str, small_course: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    given = [f"--report={option.format(tmp=tmp_path)}" for option in options]
    ran = graded.pytest(small_course, "--tree=solutions", *given)
    assert ran.status == 4
    assert sentence in ran.output
    assert "test session starts" not in ran.output
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_where_there_is_no_course_there_is_no_grade(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = -p ml_api_lab.plugin\n")
    ran = graded.pytest(tmp_path, "--report=json=grade.json")
    assert ran.status == 4
    assert "has no checks/syllabus.toml" in ran.output


SCIENCE = '''
from ml_api_lab.check import scikit_learn

@points(10, hint="?")
@scikit_learn
async def test_one(task: Task):
    """Title."""
'''

TELLS_OF_PROCESSES = """
from ml_api_lab.plugin import _POOLS

def pytest_sessionfinish(session):
    print("loaded", [modules for clock, modules in session.config.stash[_POOLS]._pools])
"""


@pytest.mark.parametrize(
    ("args", "is_loaded"),
    [([], False), (["--tree=solutions"], True), (["solutions/task_0_1"], True)],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_for_a_stub_no_process_loads_scikit_learn(
    args: list[str], is_loaded: bool, tmp_path: Path
) -> None:
    """Which takes longer than all its checks."""
    course = Course(tmp_path / "course")
    course.task("task_0_1", SCIENCE, "raise NotImplementedError\n", "print('done')\n")
    (course.root / "conftest.py").write_text(TELLS_OF_PROCESSES, encoding="utf-8")
    result = course.run(*args, "-s")
    assert result.score == (10, 10)
    assert "loaded [" in result.text
    assert ("sklearn" in result.text) == is_loaded
