"""The harness's layers: who may import whom, without circles, and what checks see of it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.proofs.prover import COURSE

PACKAGE = COURSE / "shared" / "ml_api_lab"


MODULES = sorted(PACKAGE.rglob("*.py"))


# From the ground up: a module imports of its own row and of rows above it in this table. The host
# is the untrusted side, and a world of its own: it imports nothing but the protocol, and nobody
# imports it.
LAYERS = (
    ("protocol",),
    ("errors", "exit_status", "lab_time", "sanitize", "version", "yaml_file"),
    ("course",),
    ("sandbox", "images"),
    ("task", "check", "grading"),
    ("trials", "progress"),
    ("session", "plugin", "cli"),
)


HOST = "host"


def name_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


NAMES = {name_of(path) for path in MODULES}


def imports(path: Path) -> Iterator[str]:
    """Yield all modules that a module imports, at its top, in a function, or for types alone."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.module is not None, f"{path} has a relative import"
            inner = [f"{node.module}.{each.name}" for each in node.names]
            modules = [each for each in inner if each in NAMES]
            yield from modules
            if len(modules) < len(inner):
                yield node.module


def room_of(module: str) -> str:
    """Return the package or module at the top of the lab's package in which that module is."""
    return module.split(".")[1] if module.startswith("ml_api_lab.") else ""


def layer_of(room: str) -> int:
    return next(number for number, rooms in enumerate(LAYERS) if room in rooms)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_the_harness_knows_no_task(path: Path) -> None:
    tops = {each.split(".")[0] for each in imports(path)}
    assert tops.isdisjoint({"checks", "exercises", "solutions", "tests"})


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_go_one_way(path: Path) -> None:
    here = room_of(name_of(path))
    rooms = {room_of(each) for each in imports(path)} - {"", here}
    if here == HOST:
        assert rooms <= {"protocol"}
    elif here:
        lowest = layer_of(here)
        assert [each for each in rooms if each == HOST or layer_of(each) > lowest] == []
    else:
        assert rooms == set(), "the package itself imports nothing: a host imports it"


def test_the_table_of_layers_is_whole_and_small() -> None:
    listed = [room for rooms in LAYERS for room in rooms]
    assert sorted([*listed, HOST]) == sorted({room_of(name) for name in NAMES} - {""})
    assert len(LAYERS) <= 7


def test_imports_run_in_no_circle() -> None:
    graph = {
        name_of(path): {each for each in imports(path) if each in NAMES} - {name_of(path)}
        for path in MODULES
    }
    assert len(list(TopologicalSorter(graph).static_order())) >= len(MODULES)


def test_rooms_run_in_no_circle() -> None:
    graph: dict[str, set[str]] = {}
    for path in MODULES:
        here = room_of(name_of(path))
        graph.setdefault(here, set()).update({room_of(each) for each in imports(path)} - {here, ""})
    assert len(list(TopologicalSorter(graph).static_order())) == len(graph)


# What a check may import: the front door, and the readers of Dockerfiles and YAML files.
DOORS = {
    "ml_api_lab.check",
    "ml_api_lab.images.image",
    "ml_api_lab.images.container",
    "ml_api_lab.yaml_file",
}


@pytest.mark.parametrize(
    "path", sorted((COURSE / "checks").rglob("*.py")), ids=lambda path: path.stem
)
def test_checks_import_the_lab_through_its_doors(path: Path) -> None:
    ours = {each for each in imports(path) if each.startswith("ml_api_lab")}
    assert ours <= DOORS
