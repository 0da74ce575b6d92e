"""The harness's layers: who may import whom, without circles, and what checks see of it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from shared import check
from tests.proofs import COURSE

MODULES = sorted((COURSE / "shared").rglob("*.py"))


def name_of(path: Path) -> str:
    parts = path.relative_to(COURSE).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


def imports(path: Path, *, at_start: bool = False) -> Iterator[str]:
    """Yield the modules that a module imports; `at_start`: only those that its import imports."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree) if not at_start else executed(tree.body):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.module is not None, f"{path} has a relative import"
            yield node.module
            yield from (f"{node.module}.{each.name}" for each in node.names)


def executed(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements that run when a module is imported, type checking aside."""
    for statement in body:
        yield statement
        if isinstance(statement, ast.If) and "TYPE_CHECKING" not in ast.unparse(statement.test):
            yield from executed(statement.body)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_the_harness_knows_no_task(path: Path) -> None:
    tops = {each.split(".")[0] for each in imports(path)}
    assert tops.isdisjoint({"checks", "exercises", "solutions", "tests"})


@pytest.mark.parametrize("path", sorted((COURSE / "shared" / "host").glob("*.py")), ids=name_of)
def test_the_host_takes_only_the_link_from_the_other_side(path: Path) -> None:
    ours = {each for each in imports(path) if each.startswith("shared.")}
    assert {each for each in ours if not each.startswith(("shared.host", "shared.link"))} == set()


def test_imports_run_in_no_circle() -> None:
    known = {name_of(path) for path in MODULES}
    graph = {
        name_of(path): {each for each in imports(path, at_start=True) if each in known}
        for path in MODULES
    }
    assert len(list(TopologicalSorter(graph).static_order())) >= len(MODULES)


# What a check may import: the front door, and the readers of Dockerfiles and YAML files.
DOORS = ("shared.check", "shared.container", "shared.image", "shared.manifest")


@pytest.mark.parametrize("path", sorted((COURSE / "checks").rglob("*.py")), ids=name_of)
def test_checks_import_the_lab_through_its_doors(path: Path) -> None:
    ours = {each for each in imports(path) if each.startswith("shared.")}
    assert {each for each in ours if not each.startswith(DOORS)} == set()


def test_what_checks_may_import_is_what_they_see() -> None:
    assert len(set(check.__all__)) == len(check.__all__)
    assert all(getattr(check, name) is not None for name in check.__all__)
