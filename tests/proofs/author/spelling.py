"""Names in a task's files that nothing has: most likely misspelt.

A name is suspected only where another, which the task does have, is written nearly alike. What a
reader's editor finds by itself (an undefined name in Python, a wrong type) is not looked for.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path

from ml_api_lab.course.catalog import Check, on_the_wall_clock, parse, points, scikit_learn
from ml_api_lab.course.syllabus import Syllabus
from ml_api_lab.trials.trial import ARGUMENTS
from tests.proofs.prover import files, near

_SHORTEST = 5
"""Characters: shorter names are too often near each other by chance."""
_CLOSE = 0.85

_IN_CODE = re.compile(r"`([^`\n]+)`")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NAME = re.compile(rf"(?=\w*_|\w*[a-z][A-Z]|[A-Z]+\b)[A-Za-z_]\w{{{_SHORTEST - 1},}}")
"""A name that is no word of English: with an underscore, capitals inside, or of capitals alone."""
_FILE = re.compile(r"[\w-]+\.(?:py|txt|toml|yaml|yml|jsonl|json|pkl|env)")
_FIXTURES = tuple(sorted(ARGUMENTS))
_MARKS = (points.__name__, on_the_wall_clock.__name__, scikit_learn.__name__)


def misspelt(course: Path, syllabus: Syllabus, task: str) -> Iterator[str]:
    """Yield a sentence for each name in a task's README and checks that is likely misspelt."""
    trees = [course / tree / task for tree in ("exercises", "solutions")]
    work = [path for tree in trees if tree.is_dir() for path in map(tree.joinpath, files(tree))]
    checks = sorted((course / "checks" / task).glob("*.py"))
    support = sorted((course / "checks" / "support").rglob("*.py"))
    readme = course / "checks" / task / "README.md"
    told = [readme] if readme.is_file() else []
    file_names = {path.name for path in work}
    if told:
        known = _Known(file_names, [*work, *checks, *support], syllabus.names)
        where = readme.relative_to(course).as_posix()
        for code in dict.fromkeys(_IN_CODE.findall(readme.read_text(encoding="utf-8"))):
            yield from (f"{where} has {each}" for each in known.suspects(code))
    known = _Known(file_names, [*work, *told])
    for path in checks:
        where = path.relative_to(course).as_posix()
        module = parse(path.read_text(encoding="utf-8"), str(path))
        for node in ast.walk(module):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found = known.suspect_files(node.value)
                yield from (f"{where}, line {node.lineno}, has {each}" for each in found)
        for function in module.body:
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                yield from (f"{where}: {each}" for each in _of_function(function))


def misspelt_check(said: str, checks: list[Check]) -> str:
    """Return what is wrong with a check's name as a corpus has it, "" if there is such a check."""
    names = [check.name for check in checks]
    return "" if said in names else f"there is no check {said!r}{near(said, names)}"


def _of_function(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    """Yield what is misspelt in the head of a check."""
    marks = [each.func if isinstance(each, ast.Call) else each for each in function.decorator_list]
    names = [each.id for each in marks if isinstance(each, ast.Name)]
    is_test = function.name.startswith("test_")
    if points.__name__ in names and not is_test:
        yield (
            f"{function.name} has points, but no name that begins with test_: nobody runs it, and "
            "its points do not count"
        )
    if not is_test:
        return
    for name in names:
        if name not in _MARKS and (end := near(name, _MARKS)):
            yield f"above {function.name} stands the unknown mark {name!r}{end}"
    for argument in function.args.args:
        if argument.arg not in _FIXTURES:
            end = near(argument.arg, _FIXTURES) or "; a check takes task and clock"
            yield f"{function.name} takes the unknown argument {argument.arg!r}{end}"


class _Known:
    """The names that are right: those of files, and what stands in them."""

    def __init__(self, files: set[str], paths: Iterable[Path], more: Iterable[str] = ()) -> None:
        self._files = files
        texts = [path.read_text(encoding="utf-8", errors="replace") for path in paths]
        self._text = "\n".join([*texts, *more])
        self._names = set(_WORD.findall(self._text))

    def suspects(self, code: str) -> Iterator[str]:
        """Yield what is to be said of names in a piece of code."""
        yield from self.suspect_files(code)
        for name in _NAME.findall(_FILE.sub("", code)):
            if name not in self._text:
                close = get_close_matches(name, self._names, 1, _CLOSE)
                yield from (f"the name {name!r}; did you mean {each!r}?" for each in close)

    def suspect_files(self, text: str) -> Iterator[str]:
        """Yield what is to be said of names of files in a text."""
        for name in _FILE.findall(text):
            if name not in self._files and name not in self._text:
                close = get_close_matches(name, self._files, 1, _CLOSE)
                yield from (f"the file name {name!r}; did you mean {each!r}?" for each in close)
