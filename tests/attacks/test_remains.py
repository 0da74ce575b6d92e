"""Attacks that no tier stops and no repair: each still succeeds, as docs/threats.md says."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.proofs.prover import Prover

ATTACKS: dict[str, dict[str, Any]] = tomllib.loads(
    (Path(__file__).with_name("remains.toml")).read_text(encoding="utf-8")
)


@pytest.mark.parametrize("name", ATTACKS)
def test_it_still_succeeds(name: str, prover: Prover, tmp_path: Path) -> None:
    attack = ATTACKS[name]
    (tmp_path / attack["task"]).mkdir()
    (tmp_path / attack["task"] / "main.py").write_text(attack["code"], encoding="utf-8")
    said = prover.grade(tmp_path, attack["task"])
    points = {check.name: check.points for check in prover.checks(attack["task"])}
    earned = sum(points[each] for each, verdict in said.items() if verdict.message is None)
    assert earned == attack["points"], {each: verdict.message for each, verdict in said.items()}
