"""Who may come in: the key that guarded routes ask for."""

import os
import secrets
from typing import Annotated

from fastapi import HTTPException, Security
from fastapi.security import APIKeyHeader

key_header = APIKeyHeader(name="X-API-Key", auto_error=False)


def api_key() -> str:
    """Return the key that opens the doors; an unset or empty one opens none."""
    key = os.environ.get("API_KEY")
    if not key:
        raise RuntimeError("API_KEY is not set; put it into .env")
    return key


async def require_key(given: Annotated[str | None, Security(key_header)]) -> None:
    """Refuse a request that does not carry the key."""
    # A comparison that always takes as long tells nobody how much of a guess was right. It takes
    # bytes, because it refuses text that is not ASCII.
    if not given or not secrets.compare_digest(given.encode(), api_key().encode()):
        raise HTTPException(401, "Missing or wrong API key")
