"""What a run trusts: loaded before a submission runs, watched, and named by a digest."""

from __future__ import annotations

import os
import re
import textwrap
from pathlib import Path

import pytest

from ml_api_lab.protocol.confinement import TIERS
from ml_api_lab.trials import trusted
from tests.support.toy import ROOT, Course, Graded

NO_TIER = "--isolation=none"
"""Without a tier a submission may do what is repaired here."""

CHECK = '''
    @points(10, hint="?")
    async def test_it(task: Task, clock: Clock):
        """It runs."""
        run = await task.run()
        assert run.status == 0, "It failed."
'''

SPY = """
import sys
import pytest
from ml_api_lab.trials.parallel_trials import ParallelTrials

known = set()
begin = ParallelTrials.begin

def begin_and_look(self, trials):
    known.update(sys.modules)
    begin(self, trials)

ParallelTrials.begin = begin_and_look

@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config):
    late = sorted(name for name in set(sys.modules) - known)
    print("LATE:", *late)
"""


def digest_in(result: Graded) -> str:
    found = re.search(r", checks ([0-9a-f]{10})\.$", result.text, re.MULTILINE)
    assert found is not None, result.text
    return found[1]


@pytest.mark.parametrize("tree", ["exercises", "solutions"])
def test_nothing_is_imported_once_a_submission_runs(tree: str, tmp_path: Path) -> None:
    """A file that it rewrites would become code of the checks' side."""
    (tmp_path / "import_spy.py").write_text(SPY, encoding="utf-8")
    real = Course(tmp_path / "course")
    real.root = ROOT
    result = real.run(
        "-p",
        "import_spy",
        "checks/task_1_1",
        "checks/task_3_1",
        "checks/task_5_1",
        "checks/task_5_2",
        f"--tree={tree}",
        f"--report=markdown={tmp_path / 'grade.md'}",
        PYTHONPATH=str(tmp_path),
    )
    late = re.search(r"^LATE:(.*)$", result.text, re.MULTILINE)
    assert late is not None, result.text
    ours = [name for name in late[1].split() if name.startswith(("ml_api_lab", "checks"))]
    assert ours == []


PLANT = """
    from pathlib import Path
    course = Path({course!r})
    (course / "checks" / "conftest.py").write_text("")
    cache = course / "checks" / "__pycache__"
    cache.mkdir(exist_ok=True)
    (cache / "planted.pyc").write_text("")
"""


def test_what_a_submission_plants_is_told_and_has_another_digest(tmp_path: Path) -> None:
    course = Course(tmp_path / "course")
    course.task("task_0_1", CHECK, textwrap.dedent(PLANT).format(course=str(course.root)))
    first = course.run(NO_TIER)
    assert "files changed that it trusts: checks/conftest.py." in first.text
    assert first.report is not None
    assert any("checks/conftest.py" in note for note in first.report["notes"])
    assert first.score == (10, 10)
    assert not (course.root / "checks" / "__pycache__" / "planted.pyc").exists()
    second = course.run(NO_TIER)
    assert digest_in(second) != digest_in(first)
    (course.root / "checks" / "conftest.py").unlink()
    assert trusted.digest(course.root) == digest_in(first)


def test_a_quiet_run_tells_nothing(course: Course) -> None:
    result = course.run("--tree=solutions")
    assert "files changed" not in result.text
    assert digest_in(result) == trusted.digest(course.root)


def test_what_another_run_compiles_meanwhile_is_no_change(course: Course) -> None:
    before, watch = trusted.digest(course.root), trusted.Watch(course.root, "none")
    unfinished = course.root / "checks" / "__pycache__" / "support.cpython-311.pyc.140173695586224"
    unfinished.parent.mkdir(exist_ok=True)
    unfinished.write_bytes(b"half of it")
    assert trusted.digest(course.root) == before
    assert watch.changes() == []


def test_where_the_kernel_refuses_to_write_nothing_is_looked_at(course: Course) -> None:
    watches = [trusted.Watch(course.root, tier) for tier in TIERS]
    (course.root / "checks" / "conftest.py").write_text("", encoding="utf-8")
    assert [each.changes() for each in watches] == [["checks/conftest.py"], [], []]


def test_many_names_are_counted() -> None:
    told = trusted.sentence(["a", "b", "c", "d", "e"])
    assert "trusts: a, b, c and 2 more." in told


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")
def test_a_folder_in_the_place_of_a_report_is_moved_aside(tmp_path: Path) -> None:
    course = Course(tmp_path / "course")
    report = tmp_path / "course-grade.json"
    course.task(
        "task_0_1",
        CHECK,
        f"import os\nos.makedirs({str(report / 'inner')!r}, exist_ok=True)\n",
    )
    result = course.run(NO_TIER)
    assert result.status == 0, result.text
    assert result.score == (10, 10)
    assert [path.name for path in tmp_path.glob(".not-a-report-*/*")] == ["inner"]


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")
def test_a_stopped_fork_server_costs_nothing(tmp_path: Path) -> None:
    course = Course(tmp_path / "course")
    source = "import os, signal\nos.kill(os.getppid(), signal.SIGSTOP)\n"
    course.task("task_0_1", CHECK, source)
    for number in range(2, 5):
        course.task(f"task_0_{number}", CHECK, "print(1)")
    result = course.run(NO_TIER, "--budget=30")
    assert result.outcomes["task_0_4 test_it"] == "passed", result.text
    assert result.score[0] >= 30, result.text
