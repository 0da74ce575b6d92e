"""An httpx client whose requests travel over the link, with their lab times on the answers."""

from __future__ import annotations

import zlib

import httpx

from ml_api_lab.errors import SubmissionFault
from ml_api_lab.lab_time import Span
from ml_api_lab.sandbox.exchanges import ANSWERS_LIMIT_BYTES, Exchange
from ml_api_lab.sandbox.submission import Submission

# Where uvicorn serves by default: an application may look at the host that it is asked by.
_BASE_URL = "http://127.0.0.1:8000"


class LinkTransport(httpx.AsyncBaseTransport):
    """Carries httpx requests to a submission.

    The request extension ``target`` (bytes), as in httpx's own transport, sends that path as it
    stands; httpx itself would normalise ``/docs/../models``.
    """

    def __init__(self, submission: Submission) -> None:
        self._submission = submission

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        target = request.extensions.get("target", request.url.raw_path)
        headers = [
            [name.decode("latin-1"), value.decode("latin-1")] for name, value in request.headers.raw
        ]
        exchange = await self._submission.request(
            request.method, target.decode("latin-1"), headers, await request.aread()
        )
        _refuse_decompression_bombs(exchange)
        return httpx.Response(
            exchange.status,
            headers=[
                (name.encode("latin-1"), each.encode("latin-1")) for name, each in exchange.headers
            ],
            content=exchange.body,
            extensions={"lab": (exchange.sent, exchange.completed)},
        )


def _refuse_decompression_bombs(exchange: Exchange) -> None:
    """Decompress an answer as httpx will do, but only so far.

    Raises:
        SubmissionFault: it is more than a submission may answer.
    """
    encodings = [each for name, each in exchange.headers if name.lower() == "content-encoding"]
    body = exchange.body
    for _ in filter(None, ",".join(encodings).split(",")):
        if (decompressed := _decompress(body)) is None:
            return  # httpx says what is wrong with it
        if len(decompressed) > ANSWERS_LIMIT_BYTES:
            raise SubmissionFault(
                f"{exchange.name} is answered with more than {ANSWERS_LIMIT_BYTES // 2**20} MB, "
                f"compressed to {len(exchange.body)} bytes."
            )
        body = decompressed


def _decompress(data: bytes) -> bytes | None:
    """Decompress gzip, zlib or raw deflate, up to one byte more than the limit."""
    for kind in (zlib.MAX_WBITS | 32, -zlib.MAX_WBITS):
        try:
            return zlib.decompressobj(kind).decompress(data, ANSWERS_LIMIT_BYTES + 1)
        except zlib.error:
            continue
    return None


def client(submission: Submission) -> httpx.AsyncClient:
    """Return a client of that submission; requests wait for their answers without a timeout."""
    return httpx.AsyncClient(transport=LinkTransport(submission), base_url=_BASE_URL, timeout=None)


def took(response: httpx.Response) -> Span:
    """Return the lab time from sending the request to the end of its answer."""
    sent, completed = response.extensions["lab"]
    return Span.__sub__(completed, sent)


def answered_at(response: httpx.Response) -> Span:
    """Return the moment at which the answer was complete."""
    completed: Span = response.extensions["lab"][1]
    return completed
