"""Predictions that were made before, kept for a while."""

import os
import time
from collections import OrderedDict
from collections.abc import Hashable


class PredictionCache:
    """At most `size` predictions, each for `ttl` seconds from when it was stored."""

    def __init__(self, size: int, ttl: float) -> None:
        self._size = size
        self._ttl = ttl
        self._entries: OrderedDict[Hashable, tuple[float, int]] = OrderedDict()

    def get(self, key: Hashable) -> int | None:
        """Return the prediction stored under that key, None if there is none any more."""
        if key not in self._entries:
            return None
        stored_at, prediction = self._entries[key]
        if time.monotonic() - stored_at >= self._ttl:
            del self._entries[key]
            return None
        return prediction

    def put(self, key: Hashable, prediction: int) -> None:
        """Store a prediction; the oldest leave if there are too many."""
        self._entries[key] = (time.monotonic(), prediction)
        self._entries.move_to_end(key)
        while len(self._entries) > self._size:
            self._entries.popitem(last=False)


def cache_from_environment() -> PredictionCache:
    """Return an empty cache as `CACHE_SIZE` and `CACHE_TTL` ask for it."""
    return PredictionCache(
        size=int(os.getenv("CACHE_SIZE", "128")), ttl=float(os.getenv("CACHE_TTL", "30"))
    )
