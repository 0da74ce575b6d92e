"""Who may come in: the key that guarded routes ask for."""

import secrets
from typing import Annotated

from fastapi import Depends, HTTPException
from fastapi.security import APIKeyHeader

from settings import API_KEY

key_header = APIKeyHeader(name="X-API-Key", auto_error=False)


async def require_key(given: Annotated[str | None, Depends(key_header)]) -> None:
    """Refuse a request that does not carry the key."""
    # A comparison that always takes as long tells nobody how much of a guess was right. It takes
    # bytes, because it refuses text that is not ASCII.
    if not given or not secrets.compare_digest(given.encode(), API_KEY.encode()):
        raise HTTPException(
            status_code=401,
            detail="Missing or wrong API key",
            headers={"WWW-Authenticate": "APIKey"},
        )
