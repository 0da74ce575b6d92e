"""Who may come in: one middleware at the door of the whole application."""

import os
import secrets

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from starlette.middleware.base import RequestResponseEndpoint

OPEN_PATHS = frozenset({"/", "/health", "/docs", "/redoc", "/openapi.json"})


def api_key() -> str:
    """Return the key that opens the doors; an unset or empty one opens none."""
    key = os.getenv("API_KEY")
    if not key:
        raise RuntimeError("API_KEY is not set; put it into .env")
    return key


def is_key(given: str | None) -> bool:
    """Return whether that is the key."""
    # A comparison that always takes as long tells nobody how much of a guess was right. It takes
    # bytes, because it refuses text that is not ASCII.
    return bool(given) and secrets.compare_digest(given.encode(), api_key().encode())


async def guard(request: Request, call_next: RequestResponseEndpoint) -> Response:
    """Answer a request without the key, unless its path is open; pass on all others."""
    # The very path that the router will see; `request.url` is put together anew.
    if request.scope["path"] in OPEN_PATHS or is_key(request.headers.get("X-API-Key")):
        return await call_next(request)
    # Returned, not raised: FastAPI turns an HTTPException into an answer further inside.
    return JSONResponse({"detail": "Missing or wrong API key"}, status_code=401)
