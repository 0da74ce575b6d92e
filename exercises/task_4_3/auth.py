"""Who may come in: one middleware at the door of the whole application."""

import secrets

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from fastapi.security import APIKeyHeader
from starlette.middleware.base import RequestResponseEndpoint

# TODO: Task 4.3: import API_KEY from settings.py.

OPEN_PATHS = frozenset({"/", "/health", "/docs", "/redoc", "/openapi.json"})
# It refuses nobody: it only tells /docs where the key belongs, for the button Authorize.
key_header = APIKeyHeader(name="X-API-Key", auto_error=False)


def is_key(given: str | None) -> bool:
    """Return whether that is the key."""
    raise NotImplementedError("Task 4.3: compare it with the key")


async def guard(request: Request, call_next: RequestResponseEndpoint) -> Response:
    """Answer a request without the key, unless its path is open; pass on all others."""
    raise NotImplementedError("Task 4.3: pass the request on, or refuse it")
