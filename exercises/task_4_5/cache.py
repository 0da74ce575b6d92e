"""Predictions that were made before, kept for a while."""

import time
from collections.abc import Hashable


class PredictionCache:
    """At most `size` predictions, each for `ttl` seconds from when it was stored."""

    def __init__(self, size: int, ttl: float) -> None:
        self._size = size
        self._ttl = ttl
        self._entries: dict[Hashable, tuple[float, int]] = {}

    def get(self, key: Hashable) -> int | None:
        """Return the prediction stored under that key, None if there is none any more."""
        raise NotImplementedError("Task 4.5: look the prediction up; mind its age")

    def put(self, key: Hashable, prediction: int) -> None:
        """Store a prediction; the oldest leaves if there are too many."""
        raise NotImplementedError("Task 4.5: store the prediction; mind the size")
