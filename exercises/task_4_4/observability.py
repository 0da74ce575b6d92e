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
        raise NotImplementedError("Task 4.4: turn what is logged, record.msg, into JSON")


# TODO: Task 4.4: a logger that writes to sys.stdout, in this format, and info as well.


async def observe(request: Request, call_next: RequestResponseEndpoint) -> Response:
    """Time a request, give it an id, and leave a line about it."""
    raise NotImplementedError("Task 4.4: time the request, mark its answer, log its line")
