"""What goes on: how long each request took, and a line of JSON about it."""

import json
import logging
import sys
import time
import uuid

from fastapi import Request, Response
from starlette.middleware.base import RequestResponseEndpoint


class JSONFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(record.msg)


handler = logging.StreamHandler(sys.stdout)
handler.setFormatter(JSONFormatter())
logger = logging.getLogger("ml_api")
logger.addHandler(handler)
logger.setLevel(logging.INFO)


async def observe(request: Request, call_next: RequestResponseEndpoint) -> Response:
    """Time a request, give it an id, and leave a line about it."""
    started = time.perf_counter()
    request_id = request.headers.get("X-Request-ID") or str(uuid.uuid4())
    status = 500  # unless the endpoint answers: an exception becomes a 500 further out
    try:
        response = await call_next(request)
        status = response.status_code
    finally:
        duration = time.perf_counter() - started
        line = {
            "id": request_id,
            "method": request.method,
            "path": request.scope["path"],
            "status": status,
            "duration": round(duration, 6),
        }
        logger.info(line)
    response.headers["X-Process-Time"] = f"{duration:.6f}"
    response.headers["X-Request-ID"] = request_id
    return response
