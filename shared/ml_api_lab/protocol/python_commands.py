"""Commands that start Python: which of them a fork of a warm interpreter can stand in for."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

_HARMLESS_VARIABLES = {
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONPATH",
    "PYTHONUNBUFFERED",
    "PYTHONUTF8",
}
"""Python's own variables that a fork heeds, or was itself started with."""


def python_arguments(command: list[str], environment: Mapping[str, str]) -> list[str] | None:
    """Return what follows `python` in a command, None if a fork could not stand in for it.

    A fork has read neither options nor the variables of its environment when it began.
    """
    program, *arguments = command
    if any(name.startswith("PYTHON") and name not in _HARMLESS_VARIABLES for name in environment):
        return None
    if program == sys.executable:
        plain = arguments and (arguments[0] in ("-c", "-m") or not arguments[0].startswith("-"))
        return arguments if plain and arguments[-1] not in ("-c", "-m") else None
    return command if _is_script_of_ours(Path(program)) else None


def _is_script_of_ours(program: Path) -> bool:
    """Whether that is a script that pip has made for this interpreter, such as `uvicorn`."""
    folder = Path(sys.executable).parent
    if program.parent != folder or not program.is_file():
        return False
    with program.open("rb") as file:
        mark, interpreter = file.read(2), Path(os.fsdecode(file.readline().strip()))
    # By whichever name pip was run: python, python3, python3.11.
    is_beside = mark == b"#!" and interpreter.parent == folder
    return is_beside and interpreter.exists() and interpreter.samefile(sys.executable)
