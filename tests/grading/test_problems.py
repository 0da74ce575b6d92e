"""Problem lines: where they point, and that only who asks for them gets any."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support import lab
from tests.support.editor import PROBLEM
from tests.support.lab import keep_stubs
from tests.support.toy import Course
from tests.support.toy_tasks import CHECKS

STUB = '"""Build it."""\n\n\nraise NotImplementedError("greet, and wait")\n'
SAID = "It printed 'bye'; 'hello' is right."
TOOK = "It took 0 s; 2 s is right."


def problems(text: str) -> list[str]:
    """Return the lines that VS Code takes for problems."""
    return [line for line in text.splitlines() if PROBLEM.search(line)]


@pytest.fixture
def begun(tmp_path: Path) -> Course:
    course = Course(tmp_path / "course")
    course.task("task_0_1", CHECKS, STUB)
    return keep_stubs(course)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            "def greet():\n    1 / 0\n\n\ngreet()\n",
            ["2: main.py stopped with ZeroDivisionError"] * 2,
        ),
        ("x = (\n", ["1: main.py stopped with SyntaxError"] * 2),
        ('# TODO: wait\nprint("bye")\n', [f"1: {SAID}", f"1: {TOOK}"]),
        ('print("bye")\n# TODO: wait\n', [f"2: {SAID}", f"2: {TOOK}"]),
        ('print("bye")\n', [f"1: {SAID}", f"1: {TOOK}"]),
        (STUB, ["4: main.py stopped with NotImplementedError"] * 2),
    ],
    ids=["raised", "syntax", "placeholder first", "placeholder last", "no place", "untouched"],
)
def test_a_line_points_to_the_place(source: str, expected: list[str], begun: Course) -> None:
    (begun.root / "exercises" / "task_0_1" / "main.py").write_text(source, encoding="utf-8")
    said = lab.run(begun.root, "run", "0.1", LAB_EDITOR="1")
    lines = problems(said.out)
    assert len(lines) == len(expected)
    for line, part in zip(lines, expected, strict=True):
        assert line.startswith(f"exercises/task_0_1/main.py:{part}"), line


def test_pytest_and_lab_print_the_same_lines_for_who_asks(begun: Course) -> None:
    asked = begun.run("--seed=1", LAB_EDITOR="1").text
    lines = problems(asked)
    assert len(lines) == 2
    assert lines == problems(lab.run(begun.root, "run", "0.1", "--seed=1", LAB_EDITOR="1").out)
    assert problems(begun.run("--seed=1").text) == []


def test_without_a_folder_a_line_points_to_the_page(begun: Course) -> None:
    shutil.rmtree(begun.root / "exercises" / "task_0_1")
    lines = problems(lab.run(begun.root, "run", "0.1", LAB_EDITOR="1").out)
    assert lines == ["checks/task_0_1/README.md:1: exercises/task_0_1 is missing."] * 2
