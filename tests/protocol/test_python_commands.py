"""Which commands a fork can stand in for, and which only a fresh interpreter heeds."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ml_api_lab.protocol.python_commands import python_arguments


@pytest.mark.parametrize(
    ("command", "environment"),
    [
        (["sh", "-c", "python main.py"], {}),
        ([sys.executable], {}),
        ([sys.executable, "-m"], {}),
        ([sys.executable, "-X", "dev", "main.py"], {}),
        ([sys.executable, "main.py"], {"PYTHONOPTIMIZE": "1"}),
        ([sys.executable, "main.py"], {"PYTHONWARNINGS": "error"}),
    ],
    ids=str,
)
def test_what_only_a_fresh_interpreter_heeds_gets_one(
    command: list[str], environment: dict[str, str]
) -> None:
    assert python_arguments(command, environment) is None


def test_a_script_of_the_environment_is_forked_too(tmp_path: Path) -> None:
    uvicorn = str(Path(sys.executable).parent / "uvicorn")
    assert python_arguments([uvicorn, "main:app"], {}) == [uvicorn, "main:app"]
    other = tmp_path / "uvicorn"
    other.write_text("#!/bin/sh\n")
    assert python_arguments([str(other)], {}) is None
