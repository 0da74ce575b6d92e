"""Mutants that no check kills, and `corpus/survivors.toml`, which says of each why it is right too.

    [[survivor]]
    task = "task_2_2"
    file = "main.py"
    was = "models.clear()"
    becomes = "pass"
    reason = "A process that ends gives its memory back by itself."

`was` and `becomes` are the first line of the changed statement, as `ast.unparse` writes it.
"""

from __future__ import annotations

import json
import shutil
import tomllib
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from pathlib import Path

from tests.proofs.mutants import Mutant, mutants
from tests.proofs.prover import LEFT_OUT, require_known

FILE = "tests/proofs/corpus/survivors.toml"
FIELDS = ("task", "file", "was", "becomes", "reason")
SHORTEST_REASON = 20
"""Characters; less says nothing."""


@dataclass(frozen=True, order=True)
class Change:
    """What a mutant changes in a task: the first line of a statement."""

    task: str
    file: str
    was: str
    becomes: str

    @staticmethod
    def by(task: str, mutant: Mutant) -> Change:
        return Change(task, mutant.file, mutant.was, mutant.becomes)

    def entry(self) -> str:
        """Return its entry in the list of survivors, ready to be pasted, without the reason."""
        # A JSON text is a TOML text as well: both escape the same characters in the same way.
        fields = zip(FIELDS, (*astuple(self), ""), strict=True)
        lines = [f"{name} = {json.dumps(text, ensure_ascii=False)}" for name, text in fields]
        return "\n".join(["[[survivor]]", *lines])


@dataclass(frozen=True)
class Survivor:
    """A mutant that is right too."""

    change: Change
    reason: str


def read(course: Path) -> list[Survivor]:
    """Return the survivors that are explained; none if the course has no such list.

    Raises:
        ValueError: the list is not TOML, or says what it cannot say.
    """
    path = course / FILE
    if not path.is_file():
        return []
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    require_known(content, ("survivor",), FILE)
    return [_survivor(table) for table in content.get("survivor", ())]


def _survivor(table: dict[str, str]) -> Survivor:
    where = f"{FILE}: the entry {table.get('becomes', 'without becomes')!r}"
    require_known(table, FIELDS, where)
    if missing := [each for each in FIELDS if each not in table]:
        raise ValueError(f"{where} lacks the field {missing[0]!r}")
    if len(table["reason"]) < SHORTEST_REASON:
        raise ValueError(f"{where} has no reason; say in a sentence why it is right too")
    return Survivor(Change(*(table[each] for each in FIELDS[:-1])), table["reason"])


def of_task(course: Path, task: str) -> Iterator[Mutant]:
    """Yield all mutants of a task's solution."""
    stub, solution = course / "exercises" / task, course / "solutions" / task
    for path in sorted(solution.glob("*.py")):
        yield from mutants(stub, solution, path.name)


def write(course: Path, task: str, mutant: Mutant, tree: Path) -> None:
    """Write a task's solution into a tree, with that change."""
    shutil.copytree(course / "solutions" / task, tree / task, ignore=LEFT_OUT)
    (tree / task / mutant.file).write_text(mutant.source, encoding="utf-8")
