"""The two trees: a solution earns all, a stub nothing, and between them lies only the work.

Every line that only a stub has is a placeholder, and a stub is the solution of the task that it
follows, changed only where a placeholder says so.
"""

from __future__ import annotations

import ast
import difflib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from ml_api_lab.course import syllabus
from tests.proofs.author import counts, junk, spelling, survivors
from tests.proofs.author.proof import MISTAKES, VARIANTS
from tests.proofs.prover import CORPUS, COURSE, Prover, cases, files

SYLLABUS = syllabus.read(COURSE / "checks" / "syllabus.toml")
TASKS = SYLLABUS.names
FOLLOWERS = [(entry.name, entry.follows) for entry in SYLLABUS.tasks if entry.follows]


@pytest.mark.parametrize("task", TASKS)
def test_solution_earns_everything(task: str, prover: Prover) -> None:
    verdicts = prover.grade(COURSE / "solutions", task)
    lost = [f"{name}: {each.message}" for name, each in verdicts.items() if each.message]
    assert lost == [], f"solutions/{task} fails its checks:\n" + "\n".join(lost)


@pytest.mark.parametrize("task", TASKS)
def test_stub_earns_nothing_for_the_right_reason(task: str, prover: Prover) -> None:
    verdicts = prover.grade(COURSE / "exercises", task)
    passed = [name for name, each in verdicts.items() if each.message is None]
    assert passed == [], f"exercises/{task} passes these checks before any work is done: {passed}"
    broken = {kind for each in verdicts.values() for kind in each.raised}
    assert broken == set(), f"exercises/{task} cannot be imported: {broken}"


@pytest.mark.parametrize("task", TASKS)
def test_junk_earns_nothing(
    task: str, prover: Prover, tmp_path_factory: pytest.TempPathFactory
) -> None:
    for kind in junk.KINDS:
        if kind.must_earn_nothing and kind.module is not None:
            tree = tmp_path_factory.mktemp("junk")
            kind.write(tree / task, files(COURSE / "exercises" / task))
            verdicts = prover.grade(tree, task)
            passed = [name for name, each in verdicts.items() if each.message is None]
            assert passed == [], f"{kind.name} earns the points of {passed}"


@pytest.mark.parametrize("task", ["task_2_1", "task_4_2"])
def test_large_data_beside_the_code_costs_nothing(
    task: str, prover: Prover, tmp_path: Path
) -> None:
    shutil.copytree(COURSE / "solutions" / task, tmp_path / task)
    with (tmp_path / task / "data.csv").open("wb") as data:
        data.truncate(40 * 2**20)
    lost = [each.message for each in prover.grade(tmp_path, task).values() if each.message]
    assert lost == []


@pytest.mark.parametrize("task", TASKS)
def test_trees_hold_the_same_files(task: str) -> None:
    stub, solution = (set(files(COURSE / tree / task)) for tree in ("exercises", "solutions"))
    assert stub == solution, f"only one of the trees has {task}/{', '.join(stub ^ solution)}"


@pytest.mark.parametrize("task", TASKS)
def test_only_placeholders_leave_the_stub(task: str) -> None:
    work = 0
    for name in files(COURSE / "exercises" / task):
        stub = lines(COURSE / "exercises" / task / name)
        solution = lines(COURSE / "solutions" / task / name)
        for removed, added in hunks(stub, solution):
            lost = [line for line in removed if not placeholder(line)]
            assert lost == [], (
                f"solutions/{task}/{name} has not kept these lines of the stub, which are no "
                f"placeholders: {lost}"
            )
            work += len(removed) + len(added)
    assert work > 0, f"exercises/{task} and solutions/{task} are the same"


@pytest.mark.parametrize(("task", "before"), FOLLOWERS)
def test_stub_carries_on_from_the_solution_before(task: str, before: str) -> None:
    folder = COURSE / "solutions" / before
    for name in files(folder):
        assert (COURSE / "exercises" / task / name).is_file(), (
            f"exercises/{task} lacks {name}, which solutions/{before} has"
        )
        old = without_docstring(folder / name)
        new = without_docstring(COURSE / "exercises" / task / name)
        for removed, added in hunks(old, new):
            changed = [line for line in removed if line.strip() and not imported(line, added)]
            assert not changed or any(placeholder(line) and line.strip() for line in added), (
                f"exercises/{task}/{name} lacks {changed} of solutions/{before}, and no "
                "placeholder says so; carry what has changed there into both trees"
            )


@pytest.mark.parametrize("task", TASKS)
def test_students_are_told_the_points(task: str, prover: Prover) -> None:
    assert list(counts.wrong_points(COURSE, task, prover.checks(task))) == []


@pytest.mark.parametrize("task", TASKS)
def test_no_name_is_misspelt(task: str) -> None:
    assert list(spelling.misspelt(COURSE, SYLLABUS, task)) == []


@pytest.mark.parametrize("task", TASKS)
def test_every_check_is_proved(task: str, prover: Prover) -> None:
    mistakes = [case.check for case in cases("mistake") if case.task == task]
    variants = [case for case in cases("variant") if case.task == task]
    unproved = [check.name for check in prover.checks(task) if check.name not in mistakes]
    assert unproved == [], f"corpus/{task}.toml has no mistake that fails {unproved}"
    assert len(mistakes) >= MISTAKES, f"corpus/{task}.toml has only {len(mistakes)} mistakes"
    assert len(variants) >= VARIANTS, f"corpus/{task}.toml has only {len(variants)} variants"


def test_nothing_is_left_of_tasks_that_are_gone() -> None:
    found = [*CORPUS.glob("task_*"), *(COURSE / "tests" / "proofs" / "cards").glob("task_*")]
    left = [path.relative_to(COURSE).as_posix() for path in found if path.stem not in TASKS]
    explained = {each.change.task for each in survivors.read(COURSE)}
    left += [f"{task} in survivors.toml" for task in sorted(explained.difference(TASKS))]
    assert left == [], f"checks/syllabus.toml has no task for {left}; remove them"


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
