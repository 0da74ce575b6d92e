"""What the rounds share."""

from tests.fuzz.rounds import folder

__all__ = ["folder"]
