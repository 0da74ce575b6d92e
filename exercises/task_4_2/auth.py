"""Who may come in: the key that guarded routes ask for."""

import secrets
from typing import Annotated

from fastapi import Depends, HTTPException
from fastapi.security import APIKeyHeader

# TODO: Task 4.2: import API_KEY from settings.py.

key_header = APIKeyHeader(name="X-API-Key", auto_error=False)


async def require_key(given: Annotated[str | None, Depends(key_header)]) -> None:
    """Refuse a request that does not carry the key."""
    raise NotImplementedError("Task 4.2: compare the key, and refuse a wrong one")
