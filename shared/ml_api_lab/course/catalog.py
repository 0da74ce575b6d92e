"""The catalogue of checks: every check's points, title and hint, read from the source.

Nothing is imported or run: whatever happens to a check in a run, its points are known before. The
decorators that say these things are here as well; they do nothing when they run.
"""

from __future__ import annotations

import ast
import re
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from ml_api_lab.course.syllabus import POINTS_PER_TASK, Syllabus
from ml_api_lab.errors import CourseError

F = TypeVar("F", bound=Callable[..., Any])

_TASK_NAME = re.compile(r"task_\d+_\d+")

# CPython counts the depth of trees that several threads build at once together, and then raises a
# SystemError (seen with 3.11; its issue 106905 tells of it). Checks run side by side.
_parse_lock = threading.Lock()


def points(number: int, *, hint: str) -> Callable[[F], F]:
    """Make a test a check that is worth this many points.

    The numbers of a task's checks add up to 10. They are read from the source, not from the
    running module, so that no crash can make points vanish: write both arguments as literals, and
    give the test a docstring, its title.

    Args:
        number: whole points, 1 or more.
        hint: a question or a pointer for whoever fails it; it does not give the answer away.
    """
    if number < 1 or not hint:
        raise ValueError("a check has at least 1 point, and a hint")

    def mark(check: F) -> F:
        return check

    return mark


def on_the_wall_clock(check: F) -> F:
    """Mark a check that talks to a real process: it runs on the wall clock whatever was chosen."""
    return check


def scikit_learn(check: F) -> F:
    """Mark a check whose submission has scikit-learn loaded beforehand, unless it is a stub."""
    return check


def parse(text: str | bytes, name: str = "<unknown>") -> ast.Module:
    """Return the tree of a module's source, without Python's warnings about it.

    Raises:
        SyntaxError: it is no Python, or nested too deeply for the parser.
        ValueError: it has null bytes.
    """
    with _parse_lock, warnings.catch_warnings(action="ignore"):
        try:
            return ast.parse(text, name)
        except (RecursionError, MemoryError):
            raise SyntaxError("nested too deeply") from None


@dataclass(frozen=True, kw_only=True)
class Check:
    """One check, as its author wrote it.

    Attributes:
        on_the_wall_clock: whether it always runs on the wall clock.
        needs_scikit_learn: whether its submission has scikit-learn loaded beforehand.
    """

    task: str
    file: str
    name: str
    title: str
    points: int
    hint: str
    on_the_wall_clock: bool = False
    needs_scikit_learn: bool = False

    @property
    def path(self) -> str:
        """Its file, from the course's root."""
        return f"checks/{self.task}/{self.file}"

    @property
    def id(self) -> str:
        """Its node id, as pytest takes it."""
        return f"{self.path}::{self.name}"


class Catalog(Mapping[str, Check]):
    """All checks of the course by their ids, in the order of the syllabus.

    A task's checks are read when they are first asked for: a run of one task is not to pay for
    twenty.

    Raises:
        CourseError: a folder is missing or unlisted; on reading a task, one of its checks lacks
            something, or their points do not add up.
    """

    def __init__(self, course: Path, syllabus: Syllabus) -> None:
        self._folder = course / "checks"
        self._tasks = syllabus.names
        self._checks_by_task: dict[str, dict[str, Check]] = {}
        listed = set(self._tasks)
        for tree in ("checks", "exercises", "solutions"):
            # A copy that somebody has put beside a task ("task_3_2 copy") is no task.
            folders = (each for each in (course / tree).glob("task_*") if each.is_dir())
            present = {each.name for each in folders if _TASK_NAME.fullmatch(each.name)}
            unlisted = (
                name for name in sorted(present - listed) if _has_content(course / tree / name)
            )
            if name := next(unlisted, None):
                raise CourseError(
                    f"{tree}/{name} is not in checks/syllabus.toml; list it there, or remove the "
                    "folder."
                )
            # A student's copy may lack tasks of `exercises`; they score 0 and are named.
            if tree == "checks" and (missing := sorted(listed - present)):
                raise CourseError(
                    f"{tree}/{missing[0]} is in the syllabus, but there is no such folder."
                )

    def task(self, name: str) -> dict[str, Check]:
        """Return the checks of one task, by their ids."""
        if name not in self._checks_by_task:
            files = sorted((self._folder / name).glob("test_*.py"))
            checks = [check for path in files for check in _checks(path)]
            total = sum(check.points for check in checks)
            if total != POINTS_PER_TASK:
                each = ", ".join(f"{check.name} {check.points}" for check in checks)
                raise CourseError(
                    f"The checks of {name} add up to {total} points; "
                    f"every task has {POINTS_PER_TASK} (now: {each or 'no check'})."
                )
            self._checks_by_task[name] = {check.id: check for check in checks}
        return self._checks_by_task[name]

    def __getitem__(self, check: str) -> Check:
        task = check.split("/")[1] if check.count("/") > 1 else ""
        if task not in self._tasks:
            raise KeyError(check)
        return self.task(task)[check]

    def __iter__(self) -> Iterator[str]:
        for name in self._tasks:
            yield from self.task(name)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _has_content(folder: Path) -> bool:
    """Whether anything is in it but what Python leaves behind when a task is removed with git."""
    return any(each.name != "__pycache__" for each in folder.iterdir())


def _checks(path: Path) -> list[Check]:
    try:
        module = parse(path.read_text(encoding="utf-8"), str(path))
    except SyntaxError as error:
        raise CourseError(
            f"checks/{path.parent.name}/{path.name} does not parse: {error.msg} "
            f"(line {error.lineno})."
        ) from error
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [
        _check(path, node)
        for node in module.body
        if isinstance(node, functions) and node.name.startswith("test_")
    ]


def _check(path: Path, node: ast.FunctionDef | ast.AsyncFunctionDef) -> Check:
    where = f"{path.parent.name}/{path.name}: {node.name}"
    number, hint = _points_and_hint(node, where)
    title = (ast.get_docstring(node) or "").strip()
    if not title:
        raise CourseError(f"{where} has no docstring; its first line is the check's title.")
    names = {each.id for each in node.decorator_list if isinstance(each, ast.Name)}
    return Check(
        task=path.parent.name,
        file=path.name,
        name=node.name,
        title=title.splitlines()[0],
        points=number,
        hint=hint,
        on_the_wall_clock=on_the_wall_clock.__name__ in names,
        needs_scikit_learn=scikit_learn.__name__ in names,
    )


def _points_and_hint(node: ast.FunctionDef | ast.AsyncFunctionDef, where: str) -> tuple[int, str]:
    """Return the arguments of a check's `points`.

    Raises:
        CourseError: it has none, they are not literals, or of the wrong kind.
    """
    decorators = [
        each
        for each in node.decorator_list
        if isinstance(each, ast.Call)
        and isinstance(each.func, ast.Name)
        and each.func.id == points.__name__
    ]
    if len(decorators) != 1:
        raise CourseError(f"{where} has no points; write @points(2, hint=...) above it.")
    (decorator,) = decorators
    try:
        number = ast.literal_eval(decorator.args[0])
        hint = ast.literal_eval(next(k.value for k in decorator.keywords if k.arg == "hint"))
    except (ValueError, IndexError, StopIteration):
        raise CourseError(
            f"{where}: its points or its hint are missing, or not written out; "
            'write @points(2, hint="...") above it.'
        ) from None
    if type(number) is not int or number < 1 or not isinstance(hint, str) or not hint:
        raise CourseError(
            f"{where} has {number!r} points and the hint {hint!r}; points are a whole number from "
            "1, and the hint is a text."
        )
    return number, hint
