"""The grader: the same processes for one grading after the other, and an end in between."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ml_api_lab.course import syllabus
from ml_api_lab.course.tree import Tree
from ml_api_lab.errors import CourseError
from ml_api_lab.grading.grade import INTERRUPTED, Outcome
from ml_api_lab.sandbox.hosts.isolation import Isolation
from ml_api_lab.trials.grader import Grader, Grading
from ml_api_lab.trials.task_runner import TaskRunner
from ml_api_lab.trials.trial import forget_checks
from tests.support.toy import LIMIT, Course
from tests.support.toy_tasks import RIGHT, two_tasks


@pytest.fixture
def own(tmp_path: Path) -> Course:
    return two_tasks(tmp_path / "course")


@pytest.fixture
def grader(own: Course) -> Iterator[Grader]:
    read = syllabus.read(own.root / "checks" / "syllabus.toml")
    before = list(sys.path)
    grader = Grader(own.root, read, own.root, TaskRunner(), Isolation())
    yield grader
    grader.close()
    sys.path[:] = before
    forget_checks()


def graded(grader: Grader, *tasks: str, seed: int | None = None) -> Grading:
    grading = grader.prepare(tasks, seed)
    grading.run()
    return grading


def test_each_grading_sees_what_is_there_then(grader: Grader, own: Course) -> None:
    assert graded(grader, "task_0_1").grade.score == 0
    (own.root / "exercises" / "task_0_1" / "main.py").write_text(RIGHT, encoding="utf-8")
    grading = graded(grader, "task_0_1", "task_0_2")
    assert (grading.grade.score, grading.grade.maximum) == (10, 20)
    assert [each.check.task for each in grading.failed] == ["task_0_2", "task_0_2"]
    assert not grading.grade.ended


def test_the_digest_is_that_of_the_checks_that_were_loaded(grader: Grader, own: Course) -> None:
    before = graded(grader, "task_0_1").grade.digest
    (own.root / "checks" / "conftest.py").write_text("", encoding="utf-8")
    assert graded(grader, "task_0_1").grade.digest == before
    grader.reload()
    assert graded(grader, "task_0_1").grade.digest != before


def test_what_a_submission_changes_of_the_checks_is_told(grader: Grader, own: Course) -> None:
    planted = own.root / "checks" / "conftest.py"
    main = own.root / "exercises" / "task_0_1" / "main.py"
    main.write_text(f"open({str(planted)!r}, 'w').close()\n{RIGHT}", encoding="utf-8")
    (told,) = graded(grader, "task_0_1").grade.warnings
    assert "files changed that it trusts: checks/conftest.py." in told
    assert graded(grader, "task_0_2").grade.warnings == []


def test_it_grades_another_tree_as_a_students_own(
    grader: Grader, own: Course, tmp_path: Path
) -> None:
    handed_in = tmp_path / "handed_in" / "exercises"
    (handed_in / "task_0_1").mkdir(parents=True)
    (handed_in / "task_0_1" / "main.py").write_text(RIGHT, encoding="utf-8")
    grading = grader.prepare(["task_0_1", "task_0_2"], 7, Tree("exercises", handed_in))
    grading.run()
    assert grading.grade.score == 10
    assert grading.grade.absent == ["exercises/task_0_2 is missing."]
    card = grading.card(grading.failed[0])
    assert "pytest checks/task_0_2/test_toy.py::test_greets --seed=7" in card


def test_its_progress_is_told(grader: Grader) -> None:
    told: list[tuple[int, int]] = []
    grader.prepare(["task_0_1"]).run(lambda done, number: told.append((done, number)))
    assert told == [(1, 2), (2, 2)]


def test_a_seed_repeats_and_without_one_each_is_drawn(grader: Grader) -> None:
    assert graded(grader, "task_0_1", seed=7).grade.seed == 7
    assert len({grader.prepare(["task_0_1"]).grade.seed for _ in range(5)}) > 1


def test_checks_are_loaded_once_until_they_are_forgotten(grader: Grader, own: Course) -> None:
    def functions() -> list[object]:
        return [trial.function for trial in grader.prepare(["task_0_1"])._trials]

    first = functions()
    assert functions() == first
    checks = own.root / "checks" / "task_0_1" / "test_toy.py"
    text = checks.read_text(encoding="utf-8")
    checks.write_text(text.replace("It greets.", "It says hello."), encoding="utf-8")
    grader.reload()
    assert functions() != first
    titles = [each.check.title for each in grader.prepare(["task_0_1"]).grade.results.values()]
    assert titles[0] == "It says hello."


def test_a_check_that_cannot_be_loaded_is_named(grader: Grader, own: Course) -> None:
    checks = own.root / "checks" / "task_0_1" / "test_toy.py"
    checks.write_text(f"import no_such\n{checks.read_text(encoding='utf-8')}", encoding="utf-8")
    grader.reload()
    with pytest.raises(CourseError, match=r"test_toy\.py cannot be loaded: ModuleNotFoundError"):
        grader.prepare(["task_0_1"])


def test_it_is_ended_in_between_and_grades_again(grader: Grader, own: Course) -> None:
    sign = own.root / "sign"
    endless = f"open({str(sign)!r}, 'w').close()\nwhile True: pass\n"
    main = own.root / "exercises" / "task_0_1" / "main.py"
    main.write_text(endless, encoding="utf-8")
    grading = grader.prepare(["task_0_1"])
    running = threading.Thread(target=grading.run)
    running.start()
    while not sign.exists():
        assert running.is_alive()
    grading.cancel()
    running.join(LIMIT)
    assert not running.is_alive()
    assert grading.grade.ended == INTERRUPTED
    assert {each.outcome for each in grading.grade.results.values()} == {Outcome.NOT_RUN}
    main.write_text(RIGHT, encoding="utf-8")
    assert graded(grader, "task_0_1").grade.score == 10
