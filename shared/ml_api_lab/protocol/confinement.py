"""What a submission's process is confined to: decided on the checks' side, applied by the host."""

from __future__ import annotations

import json
from typing import Literal, NamedTuple

Tier = Literal["none", "landlock", "namespace"]
"""How far a submission is confined, from weak to strong; each holds all of the one before."""

TIERS: tuple[Tier, ...] = ("none", "landlock", "namespace")

NEWEST_LANDLOCK = 6
"""The newest version of Landlock's interface (its ABI) that the lab makes use of."""


class Confinement(NamedTuple):
    """What a pool of hosts is told of the tier that its hosts apply.

    Attributes:
        tier: the tier.
        course: the root of the course, which no host may read.
        landlock_abi: the newest version of Landlock's interface to use.
    """

    tier: Tier = "none"
    course: str = ""
    landlock_abi: int = NEWEST_LANDLOCK

    def to_text(self) -> str:
        """Return it as one word of a command line."""
        return json.dumps(self._asdict())

    @classmethod
    def from_text(cls, text: str) -> Confinement:
        """Return what `to_text` has written."""
        return cls(**json.loads(text))


UNCONFINED = Confinement()
"""No confinement at all: as on macOS and Windows."""
