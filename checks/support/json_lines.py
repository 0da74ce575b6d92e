"""Lines of JSON that an application writes, read kindly where another check reads them exactly."""

from __future__ import annotations

import ast
import contextlib
import json
from typing import Any

from ml_api_lab.check import parse


def object_in(line: str) -> dict[str, Any]:
    """Return the object that a line holds, {} if it holds none.

    Words may come before it, and it may be a dictionary as Python shows it.
    """
    text = line[line.find("{") :].rstrip() if "{" in line else ""
    for read in (json.loads, _literal):
        with contextlib.suppress(ValueError, SyntaxError, MemoryError, RecursionError):
            content = read(text)
            if isinstance(content, dict):
                return content
    return {}


def _literal(text: str) -> object:
    statements = parse(text).body
    if len(statements) == 1 and isinstance(statements[0], ast.Expr):
        value: object = ast.literal_eval(statements[0].value)
        return value
    return None
