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
        if key not in self._entries:
            return None
        stored_at, prediction = self._entries[key]
        return prediction if time.monotonic() - stored_at < self._ttl else None

    def put(self, key: Hashable, prediction: int) -> None:
        """Store a prediction; the oldest leaves if there are too many."""
        # A dict keeps the order in which its keys came: what is stored anew must come anew.
        self._entries.pop(key, None)
        self._entries[key] = (time.monotonic(), prediction)
        if len(self._entries) > self._size:
            del self._entries[next(iter(self._entries))]
