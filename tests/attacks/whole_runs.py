"""Attacks on a whole run: what its process, its report and its neighbours' files suffer.

Each is played in a room of its own, since without a tier it succeeds; there it must fail in every
tier from the one that it names. This takes root and minutes: `tox -e tiers` runs it.
"""

from __future__ import annotations

import os
import shutil
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from ml_api_lab.protocol.confinement import TIERS, Tier
from tests.attacks import room
from tests.support import tiers

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0 or not shutil.which("unshare"),
    reason="a room takes Linux, root, and unshare",
)

ATTACKS: dict[str, dict[str, Any]] = tomllib.loads(
    (Path(__file__).with_name("whole_runs.toml")).read_text(encoding="utf-8")
)


@pytest.mark.parametrize("name", ATTACKS)
def test_it_succeeds_without_a_tier(name: str) -> None:
    """An attack that fails for a reason of its own proves nothing."""
    assert set(ATTACKS[name]["does"]) <= room.play(name, ATTACKS[name], "none").keys()


@pytest.mark.parametrize("tier", TIERS[1:])
@pytest.mark.parametrize("name", ATTACKS)
def test_it_does_nothing_in_a_tier(name: str, tier: Tier) -> None:
    if TIERS.index(tier) < TIERS.index(ATTACKS[name]["stops"]):
        pytest.skip(f"stopped by {ATTACKS[name]['stops']}")
    tiers.require(tier)
    assert room.play(name, ATTACKS[name], tier) == {}
