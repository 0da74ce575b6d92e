"""How an application tells a HIT from a MISS, for checks that ask about something else."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx

HIT, MISS = "HIT", "MISS"


@dataclass(frozen=True)
class Told:
    """What an application tells of one prediction and of its repeat.

    The check about a repeat asks the same, and asks for the right words in the header; the others
    read HIT and MISS by whatever words tell the two apart here.

    Attributes:
        repeat: the answer to the repeat, if it was asked for.
        is_quick: whether the repeat took no time and asked no model.
    """

    repeat: httpx.Response | None = None
    is_quick: bool = True
    words: dict[str | None, str] = field(default_factory=dict)

    @property
    def tells_apart(self) -> bool:
        """Whether the repeat was told from the prediction itself."""
        return HIT in self.words.values()

    def read(self, response: httpx.Response) -> str | None:
        """Return HIT or MISS, or whatever else the answer tells."""
        said = word(response)
        return self.words.get(said, said)


def body_field(response: httpx.Response) -> tuple[str, object] | None:
    """Return a key of the body with "cache" in its name, and its value; None if it has none."""
    try:
        content = response.json()
    except ValueError:
        return None
    if not isinstance(content, dict):
        return None
    return next((each for each in content.items() if "cache" in each[0].lower()), None)


def word(response: httpx.Response) -> str | None:
    """Return what the header says, or else what the body does; None if nothing does."""
    header: str | None = response.headers.get("X-Cache")
    if header:
        return header
    found = body_field(response)
    return str(found[1]) if found else None
