"""Python source as a tree, read by one thread at a time.

Checks run side by side, and threads that build trees at once can disturb each other: CPython counts
their depth together, and then raises a SystemError (seen with 3.11; its issue 106905 tells of it).
"""

from __future__ import annotations

import ast
import threading
import warnings

_reading = threading.Lock()


def parse(text: str | bytes, name: str = "<unknown>") -> ast.Module:
    """Return the tree of a module's source, without Python's warnings about it.

    Raises:
        SyntaxError: it is no Python.
        ValueError: it has null bytes.
    """
    with _reading, warnings.catch_warnings(action="ignore"):
        return ast.parse(text, name)
