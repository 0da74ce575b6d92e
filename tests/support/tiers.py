"""Which tiers of isolation can be tested on this machine."""

from __future__ import annotations

from functools import cache

import pytest

from ml_api_lab.protocol.confinement import NEWEST_LANDLOCK, Confinement, Tier
from ml_api_lab.sandbox.hosts.isolation import problem_of
from tests.proofs.prover import COURSE

LANDLOCKS = (1, 3, 5, NEWEST_LANDLOCK)
"""Versions of Landlock's interface: the first, and those before and with what came later."""


@cache
def problem(tier: Tier, abi: int = NEWEST_LANDLOCK) -> str | None:
    return problem_of(confinement(tier, abi))


def confinement(tier: Tier, abi: int = NEWEST_LANDLOCK) -> Confinement:
    return Confinement(tier, str(COURSE), abi)


def require(tier: Tier, abi: int = NEWEST_LANDLOCK) -> Confinement:
    """Return that confinement; skip the test where this machine cannot have it."""
    if tier != "none" and (why := problem(tier, abi)) is not None:
        # What was tried and found wanting is a failure; what is not there is none.
        if "a submission can" in why:
            pytest.fail(f"{tier}, {abi}: {why}")
        pytest.skip(f"no {tier} here: {why}")
    return confinement(tier, abi)
