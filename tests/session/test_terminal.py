"""What a run shows and writes down: cards, the table at its end, and reports."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from ml_api_lab.course import stubs
from tests.support import graded, readings
from tests.support.grades import (
    HOSTILE,
    HOSTILE_PROGRAM,
    obeyed_by_terminals,
)
from tests.support.toy import Course


def test_the_grade_is_the_last_thing_shown(course: Course) -> None:
    *_, cards, table, end = re.findall(r"^=+ (.+) =+$", course.run().text, re.M)
    # pytest's own list of the failures would say once more what the cards have said.
    assert (cards, table) == ("FAILURES", "Toy course: exercises")
    assert end.startswith("4 failed")
    assert "short test summary info" in course.run("-rf").text


def test_tasks_without_a_point_show_one_card(course: Course, tmp_path: Path) -> None:
    """Whoever runs everything has begun with some tasks, whose cards are not to be buried."""
    shutil.copytree(course.root / "exercises", tmp_path / "tree")
    begun = tmp_path / "tree" / "task_0_2" / "main.py"

    def cards(text: str) -> list[tuple[str, str]]:
        return re.findall(r"^Again: pytest checks/task_(\w+)/test_toy.py::test_(\w+)", text, re.M)

    tree = f"--tree={tmp_path}/tree"
    whole = course.run(tree)
    assert cards(whole.text) == [("0_1", "greets"), ("0_2", "greets")]
    assert whole.text.count("\n(1 more card of this task with -v)\n") == 2
    assert re.fullmatch(r"=+ 4 failed in .*=", whole.text.splitlines()[-1])
    assert all(check["card"] for check in whole.checks.values())
    begun.write_text("import time\ntime.sleep(2)\n", encoding="utf-8")
    half = course.run(tree)
    assert cards(half.text) == [("0_1", "greets"), ("0_2", "greets")]
    assert half.text.count("\n(1 more card of this task with -v)\n") == 1
    for all_of in (["-v"], ["checks/task_0_1"]):
        text = course.run(tree, *all_of).text
        assert cards(text)[:2] == [("0_1", "greets"), ("0_1", "waits")]
        assert "with -v" not in text


def test_what_does_not_start_shows_one_card(tmp_path: Path) -> None:
    course = Course(tmp_path / "course")
    course.preload("fastapi")
    served = """
        @points({points}, hint="Why?")
        async def test_{name}(task: Task, clock: Clock):
            \"\"\"It starts.\"\"\"
            async with task.serve(env={{"WHO": "{who}"}}):
                pass
    """
    asked = (("first", 4, "ada"), ("again", 3, "ada"), ("other", 3, "bob"))
    checks = "".join(served.format(name=name, points=n, who=who) for name, n, who in asked)
    course.task("task_1_1", checks, "import os\n\nraise RuntimeError(os.environ['WHO'])\n")
    course.task("task_1_2", checks, {"other.py": ""})
    started = course.run("checks/task_1_1").text
    assert re.findall(r"^Again: .*test_(\w+)", started, re.M) == ["first", "other"]
    assert "\nalso fails for this reason: test_again (0 of 3 points)\n" in started
    assert course.run("checks/task_1_2").text.count("Again: ") == 1
    # So does one that fails in the same line, whatever was asked.
    asks = """
        @points({points}, hint="What is asked?")
        async def test_{name}(task: Task, clock: Clock):
            \"\"\"It answers.\"\"\"
            async with task.serve() as client:
                await client.get("/{name}")
            raise Hinted("It answered {name} with 500; right is 200.")
    """
    checks = "".join(asks.format(name=name, points=n) for name, n in (("one", 5), ("two", 5)))
    app = "async def app(scope, receive, send):\n    raise ValueError(object())\n"
    course.task("task_1_3", checks, app)
    failed = course.run("checks/task_1_3").text
    assert "\nHint: Begin with the error above: " in failed
    assert failed.count("Again: ") == 1
    assert course.run("checks/task_1_1", "-v").text.count("Again: ") == 3


def test_an_untouched_task_is_one_line(course: Course, tmp_path: Path) -> None:
    shutil.copytree(course.root, tmp_path / "course")
    copied = tmp_path / "course"
    main = copied / "exercises" / "task_0_1" / "main.py"
    main.write_text("# TODO: greet\n", encoding="utf-8")
    stubs.write(copied, "task_0_1")
    told = (
        "\n0.1 is not started yet: read checks/task_0_1/README.md, "
        "edit exercises/task_0_1/main.py.\n"
    )
    untouched = graded.pytest(copied, "checks/task_0_1").output
    assert told in untouched
    assert "Again: " not in untouched
    main.write_text("# TODO: greet\npass\n", encoding="utf-8")
    begun = graded.pytest(copied, "checks/task_0_1").output
    assert told not in begun
    assert "Again: " in begun


def test_a_report_speaks_of_the_authors_own_tree(course: Course, tmp_path: Path) -> None:
    """On a platform a student reads it, who has no such folders as the grader's."""
    shutil.copytree(course.root / "exercises", tmp_path / "ada" / "exercises")
    broken = "def greet():\n    raise ValueError(__file__)\n\ngreet()\n"
    (tmp_path / "ada/exercises/task_0_1/main.py").write_text(broken, encoding="utf-8")
    result = course.run(f"--tree={tmp_path}/ada", "--seed=7", cwd="checks/task_0_1")
    for check in result.checks.values():
        assert "task_0_1/main.py:2 in greet" in check["card"]
        assert str(tmp_path) not in check["card"] + check["message"]
    greets = "test_toy.py::test_greets"
    again = f"Again: pytest checks/task_0_1/{greets} --seed=7"
    assert result.checks["task_0_1 test_greets"]["card"].endswith(again)
    # Who graded it is told where it lies.
    assert f"Again: pytest {greets} --tree={tmp_path}/ada/exercises --seed=7" in result.text


def test_again_works_where_pytest_was_called(course: Course) -> None:
    result = course.run(cwd="exercises/task_0_1")
    again = re.search(r"^Again: pytest (\S+waits) --seed", result.text, re.M)
    assert again is not None
    assert course.run(again[1], cwd="exercises/task_0_1").outcomes == {
        "task_0_1 test_greets": "deselected",
        "task_0_1 test_waits": "failed",
    }


def test_what_a_terminal_lacks_is_spelled(course: Course) -> None:
    """Of a card, that is; pytest itself would spell its line breaks as well."""
    tree = course.root.parent / "smiling"
    (tree / "task_0_1").mkdir(parents=True)
    (tree / "task_0_1" / "main.py").write_text("print('\u2705')\n", encoding="utf-8")
    result = course.run(
        "checks/task_0_1", f"--tree={tree}", PYTHONIOENCODING="cp1252", PYTHONUTF8="0"
    )
    assert "\nIt printed '\\u2705'; 'hello' is right.\n" in result.text


def test_native_tracebacks_on_request(course: Course) -> None:
    result = course.run("--tb=short", "checks/task_0_1")
    assert "checks/task_0_1/test_toy.py:14: in test_greets" in result.text
    assert "AssertionError: It printed 'bye'; 'hello' is right." in result.text
    assert "Hint:" not in result.text


@pytest.mark.parametrize("refused", ["--tree=nowhere", "--report=xml=a.xml", "checks/task_9_9"])
def test_a_refused_run_leaves_no_earlier_report(
    refused: str, small_course: Path, tmp_path: Path
) -> None:
    earlier = tmp_path / "grade.json"
    earlier.write_text("the grade of somebody else", encoding="utf-8")
    ran = graded.pytest(small_course, f"--report=json={earlier}", refused)
    assert ran.status == 4
    assert not earlier.exists()


def test_a_usage_error_leaves_no_report(small_course: Path, tmp_path: Path) -> None:
    ran = graded.grade(
        small_course, "solutions", tmp_path, "checks/task_0_1/test_task_0_1.py::nonesuch"
    )
    assert ran.status == 4
    assert list(tmp_path.iterdir()) == []


def test_a_report_that_fails_does_not_take_the_others_with_it(tmp_path: Path) -> None:
    course = graded.build(tmp_path / "course")
    removes = (
        "import shutil\ndef pytest_runtest_logfinish():\n"
        f"    shutil.rmtree({str(tmp_path / 'gone')!r}, True)\n"
        f"    open({str(tmp_path / 'gone')!r}, 'w').close()\n"
    )
    (course / "checks" / "conftest.py").write_text(removes)
    ran = graded.pytest(
        course,
        "--tree=solutions",
        f"--report=json={tmp_path}/gone/a",
        f"--report=junit={tmp_path}/b",
    )
    assert ran.status == 3
    assert "The json report was not written" in ran.output
    assert readings.read("junit", (tmp_path / "b").read_text("utf-8")).score == graded.MAXIMUM


def test_the_course_can_be_graded_from_elsewhere(small_course: Path, tmp_path: Path) -> None:
    """A report's relative file lies where pytest was started."""
    tree = graded.submit(tmp_path / "tree")
    shutil.rmtree(small_course / "out", ignore_errors=True)
    graded.pytest(small_course, f"--tree={tree}", "--report=json=out/grade.json")
    assert readings.read("json", (small_course / "out" / "grade.json").read_text()).score == 30


@pytest.mark.parametrize(
    "options",
    [[], ["-v"], ["-s"], ["-rA"], *([f"--tb={each}"] for each in ("short", "long", "line", "no"))],
)
def test_a_log_cannot_be_forged(options: list[str], small_course: Path, tmp_path: Path) -> None:
    greets = f"import sys\nsys.stdout.reconfigure(errors='surrogatepass')\nprint({HOSTILE[9:]!r})"
    tree = graded.submit(tmp_path / "tree", task_1_1=greets, task_0_2=HOSTILE_PROGRAM)
    ran = graded.pytest(small_course, f"--tree={tree}", "--color=no", *options)
    assert ran.status == 1
    assert obeyed_by_terminals(ran.output) == []
