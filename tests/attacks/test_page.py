"""docs/threats.md names each attack, and says of it what its test sees."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.proofs.prover import COURSE

PAGE = (COURSE / "docs" / "threats.md").read_text(encoding="utf-8").splitlines()


def attacks(*names: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for name in names:
        found |= tomllib.loads(Path(__file__).with_name(name).read_text(encoding="utf-8"))
    return found


STOPPED = attacks("acts.toml", "whole_runs.toml")


@pytest.mark.parametrize("name", STOPPED)
def test_what_stops_it_is_told(name: str) -> None:
    rows = [line for line in PAGE if f"`{name}`" in line and line.startswith("| ")]
    assert any(row.endswith(f"| `{STOPPED[name]['stops']}` |") for row in rows)


@pytest.mark.parametrize("name", attacks("remains.toml"))
def test_what_remains_is_told(name: str) -> None:
    rows = [line for line in PAGE if f"`{name}`" in line and line.startswith("| ")]
    assert any("| every tier |" in row for row in rows)


def test_it_names_no_attack_that_is_gone() -> None:
    begin = PAGE.index("## What each tier stops")
    rows = [line for line in PAGE[begin:] if line.startswith("| ")]
    table = rows[
        : next(n for n, row in enumerate(rows) if row.startswith("| what a submission can"))
    ]
    named = {word for row in table for word in row.split("`")[1::2] if "-" in word}
    assert named == STOPPED.keys()
