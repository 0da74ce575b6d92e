"""What goes on: how long each request took, and a line of JSON about it."""

import json
import time
import uuid

from fastapi import Request, Response
from starlette.middleware.base import RequestResponseEndpoint


async def observe(request: Request, call_next: RequestResponseEndpoint) -> Response:
    """Time a request, give it an id, and leave a line about it."""
    raise NotImplementedError("Task 4.4: time the request, mark its answer, leave its line")


def write_line(request_id: str, request: Request, status: int, duration: float) -> None:
    """Print the line about a request."""
    raise NotImplementedError("Task 4.4: print the line as JSON")
