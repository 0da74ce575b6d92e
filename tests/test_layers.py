"""The layers of both packages: who may import whom, without circles, and what checks see."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.proofs.prover import COURSE

SHARED = COURSE / "shared"
LAB, CLASS = "ml_api_lab", "ml_api_class"
MODULES = [path for name in (LAB, CLASS) for path in sorted((SHARED / name).rglob("*.py"))]


# From the ground up: a module imports of its own row and of rows above it in this table. The host
# is the untrusted side, and a world of its own: it imports nothing but the protocol, and nobody
# imports it.
LAB_LAYERS = (
    ("protocol",),
    ("errors", "exit_status", "lab_time", "sanitize", "version", "yaml_file"),
    ("course",),
    ("sandbox", "images"),
    ("task", "check", "grading"),
    ("trials", "progress"),
    ("session", "plugin", "cli"),
)


# The package that grades a class stands on the lab, which knows nothing of it.
CLASS_LAYERS = (
    ("errors", "verdict", "task_files"),
    ("cache_keys",),
    ("grading", "journal"),
    ("engines", "intake", "planner"),
    ("supervisor", "gradebook", "sharding", "verification", "feedback", "page"),
    ("progress", "regrading", "export"),
    ("cli",),
)


LAYERS = {LAB: LAB_LAYERS, CLASS: CLASS_LAYERS}
HOST = "host"


def name_of(path: Path) -> str:
    parts = path.relative_to(SHARED).with_suffix("").parts
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


def package_of(module: str) -> str:
    return module.split(".")[0]


def room_of(module: str, package: str) -> str:
    """Return the package or module at the top of one of ours in which that module is."""
    return module.split(".")[1] if module.startswith(f"{package}.") else ""


def layer_of(room: str, package: str) -> int:
    return next(number for number, rooms in enumerate(LAYERS[package]) if room in rooms)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_the_harness_knows_no_task(path: Path) -> None:
    tops = {each.split(".")[0] for each in imports(path)}
    assert tops.isdisjoint({"checks", "exercises", "solutions", "tests"})


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_go_one_way(path: Path) -> None:
    package = package_of(name_of(path))
    here = room_of(name_of(path), package)
    rooms = {room_of(each, package) for each in imports(path)} - {"", here}
    if package == LAB and here == HOST:
        assert rooms <= {"protocol"}
    elif here:
        lowest = layer_of(here, package)
        assert [each for each in rooms if each == HOST or layer_of(each, package) > lowest] == []
    else:
        assert rooms == set(), "the package itself imports nothing: a host imports it"


@pytest.mark.parametrize(
    "path", [each for each in MODULES if package_of(name_of(each)) == LAB], ids=name_of
)
def test_the_lab_knows_nothing_of_classes(path: Path) -> None:
    assert [each for each in imports(path) if package_of(each) == CLASS] == []


def test_the_tables_of_layers_are_whole_and_small() -> None:
    for package, layers in LAYERS.items():
        listed = [room for rooms in layers for room in rooms]
        others = [HOST] if package == LAB else []
        rooms = {room_of(name, package) for name in NAMES} - {""}
        assert sorted([*listed, *others]) == sorted(rooms)
        assert len(layers) <= 7


def test_imports_run_in_no_circle() -> None:
    graph = {
        name_of(path): {each for each in imports(path) if each in NAMES} - {name_of(path)}
        for path in MODULES
    }
    assert len(list(TopologicalSorter(graph).static_order())) >= len(MODULES)


def test_rooms_run_in_no_circle() -> None:
    graph: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for path in MODULES:
        package = package_of(name_of(path))
        here = room_of(name_of(path), package)
        others = {room_of(each, package) for each in imports(path)} - {here, ""}
        graph.setdefault((package, here), set()).update((package, each) for each in others)
    assert len(list(TopologicalSorter(graph).static_order())) == len(graph)


# What a check may import: the front door, and the readers of Dockerfiles, with what the
# .dockerignore leaves in, and of YAML files.
DOORS = {
    "ml_api_lab.check",
    "ml_api_lab.images.context",
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
