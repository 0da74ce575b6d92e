"""The two trees: a solution earns all, a stub nothing, and between them lies only the work.

Every line that only a stub has is a placeholder, and a stub is the solution of the task that it
follows, changed only where a placeholder says so.
"""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared import syllabus
from tests.proofs import COURSE, Prover

SYLLABUS = syllabus.read(COURSE / "checks" / "syllabus.toml")
TASKS = SYLLABUS.names
FOLLOWERS = [(entry.name, entry.follows) for entry in SYLLABUS.tasks if entry.follows]
NOT_CODE = {"__pycache__"}


@pytest.fixture(scope="module")
def prover() -> Iterator[Prover]:
    prover = Prover()
    yield prover
    prover.close()


@pytest.mark.parametrize("task", TASKS)
def test_solution_earns_everything(task: str, prover: Prover) -> None:
    verdicts = prover.grade(COURSE / "solutions", task)
    assert {name: each.message for name, each in verdicts.items() if each.message} == {}


@pytest.mark.parametrize("task", TASKS)
def test_stub_earns_nothing_for_the_right_reason(task: str, prover: Prover) -> None:
    verdicts = prover.grade(COURSE / "exercises", task)
    assert [name for name, each in verdicts.items() if each.message is None] == []
    broken = {name: each.raised for name, each in verdicts.items()}
    assert {name: kinds for name, kinds in broken.items() if kinds} == {}


@pytest.mark.parametrize("task", TASKS)
def test_trees_hold_the_same_files(task: str) -> None:
    assert files(COURSE / "exercises" / task) == files(COURSE / "solutions" / task)


@pytest.mark.parametrize("task", TASKS)
def test_only_placeholders_leave_the_stub(task: str) -> None:
    work = 0
    for name in files(COURSE / "exercises" / task):
        stub = lines(COURSE / "exercises" / task / name)
        solution = lines(COURSE / "solutions" / task / name)
        for removed, added in hunks(stub, solution):
            assert [line for line in removed if not placeholder(line)] == [], name
            work += len(removed) + len(added)
    assert work > 0


@pytest.mark.parametrize(("task", "before"), FOLLOWERS)
def test_stub_carries_on_from_the_solution_before(task: str, before: str) -> None:
    folder = COURSE / "solutions" / before
    for name in files(folder):
        assert (COURSE / "exercises" / task / name).is_file(), f"{name} is lost on the way"
        old = without_docstring(folder / name)
        new = without_docstring(COURSE / "exercises" / task / name)
        for removed, added in hunks(old, new):
            changed = [line for line in removed if line.strip() and not imported(line, added)]
            assert not changed or any(placeholder(line) and line.strip() for line in added), (
                f"{name}: {changed} is gone, and no placeholder says so"
            )


@pytest.mark.parametrize("task", TASKS)
def test_every_task_is_told_and_proved(task: str) -> None:
    assert (COURSE / "checks" / task / "README.md").is_file()
    assert (COURSE / "tests" / "corpus" / f"{task}.toml").is_file()


def test_a_placeholder_is_recognised() -> None:
    assert placeholder('    raise NotImplementedError("Task 0.1: ...")\n')
    assert placeholder("# TODO: list the packages\n")
    assert placeholder("\n")
    assert not placeholder("    return 1\n")


def test_an_import_may_grow() -> None:
    assert imported("from fastapi import FastAPI\n", ["from fastapi import FastAPI, Depends\n"])
    assert not imported("from fastapi import FastAPI\n", ["from fastapi import Depends\n"])
    assert not imported("from fastapi import FastAPI\n", ["from starlette import FastAPI\n"])
    assert not imported("app = FastAPI()\n", ["app = FastAPI()\n"])


def placeholder(line: str) -> bool:
    text = line.strip()
    return not text or text.startswith(("# TODO", "raise NotImplementedError("))


def imported(line: str, added: list[str]) -> bool:
    """Whether what the line imports is still imported, beside what the task needs besides."""
    module, keyword, names = line.partition(" import ")
    return bool(keyword) and any(
        other.startswith(f"{module} import ")
        and set(names.strip().split(", "))
        <= set(other.partition(" import ")[2].strip().split(", "))
        for other in added
    )


def files(folder: Path) -> list[str]:
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(path.as_posix() for path in found if not NOT_CODE.intersection(path.parts))


def lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines(keepends=True)


def without_docstring(path: Path) -> list[str]:
    """Return a file's lines; of a module, without the docstring, which tells each task's own."""
    text = lines(path)
    if path.suffix != ".py":
        return text
    body = ast.parse("".join(text)).body
    if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        return text[: body[0].lineno - 1] + text[body[0].end_lineno :]
    return text


def hunks(old: list[str], new: list[str]) -> Iterator[tuple[list[str], list[str]]]:
    """Yield what each difference removes and what it adds."""
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for kind, i, j, k, m in matcher.get_opcodes():
        if kind != "equal":
            yield old[i:j], new[k:m]
