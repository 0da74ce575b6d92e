"""What goes on: how long each request took, and a line of JSON about it."""

import json
import time
import uuid

from fastapi import Request, Response
from starlette.middleware.base import RequestResponseEndpoint


async def observe(request: Request, call_next: RequestResponseEndpoint) -> Response:
    """Time a request, give it an id, and leave a line about it."""
    started = time.perf_counter()
    request_id = request.headers.get("X-Request-ID") or str(uuid.uuid4())
    try:
        response = await call_next(request)
    except Exception:
        # The answer to an exception is made further out, where it gets no headers of ours.
        write_line(request_id, request, 500, time.perf_counter() - started)
        raise
    duration = time.perf_counter() - started
    response.headers["X-Process-Time"] = f"{duration:.6f}"
    response.headers["X-Request-ID"] = request_id
    write_line(request_id, request, response.status_code, duration)
    return response


def write_line(request_id: str, request: Request, status: int, duration: float) -> None:
    """Print the line about a request."""
    line = {
        "id": request_id,
        "method": request.method,
        "path": request.url.path,
        "status": status,
        "duration": round(duration, 6),
    }
    print(json.dumps(line), flush=True)
