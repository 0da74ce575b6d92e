"""Reading the code of a submission: what may be a key in it, and the line that a card quotes."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ml_api_lab.check import parse

if TYPE_CHECKING:
    from ml_api_lab.check import Task

_MAX_SOURCE_BYTES = 500_000
"""How much source may lie in a folder, all files together."""

_MAX_QUOTED_CHARACTERS = 100


def syntax_trees(task: Task) -> Iterator[tuple[str, bytes, ast.Module]]:
    """Yield each module's name, its source and its syntax tree, but for what is no Python."""
    left = _MAX_SOURCE_BYTES
    for name in task.files.names():
        if not name.endswith(".py"):
            continue
        source = task.files.data(name, left)
        left -= len(source)
        try:
            tree = parse(source)
        except (SyntaxError, ValueError):
            continue  # whoever imports it will be told
        yield name, source, tree


def source_constants(task: Task) -> set[str]:
    """Return what the code has in quotes, and its numbers, as text."""
    found = set()
    for _, _, tree in syntax_trees(task):
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, bytes):
                found.add(node.value.decode("latin-1"))
            elif isinstance(node, ast.Constant):
                try:
                    found.add(str(node.value))
                except ValueError:  # a number of thousands of digits
                    pass
    return found


def lines_with_name(task: Task, *words: str) -> list[str]:
    """Return the lines of code that use one of these names, each with its place, for a sentence.

    What a comment or a text says does not count, and neither does an import.
    """
    found = []
    for name, source, tree in syntax_trees(task):
        rows = source.decode("utf-8", errors="replace").splitlines()
        numbers = {
            node.lineno
            for node in ast.walk(tree)
            if (isinstance(node, ast.Name) and node.id in words)
            or (isinstance(node, ast.Attribute) and node.attr in words)
        }
        for number in sorted(numbers):
            row = rows[number - 1].strip()
            if len(row) > _MAX_QUOTED_CHARACTERS:
                row = f"{row[:_MAX_QUOTED_CHARACTERS]}..."
            found.append(f"{name}:{number}, `{row}`")
    return found


def where_it_stands(task: Task, word: str) -> str:
    """Return the lines of code that use that name, two at most, as a sentence."""
    found = lines_with_name(task, word)
    more = f" and in {len(found) - 2} more" if len(found) > 2 else ""
    lines = " and ".join(found[:2])
    return f"{word} stands in {lines}{more}." if found else f"{word} stands nowhere in the code."
