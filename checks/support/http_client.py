"""A client of real servers: every answer is taken whole, within bounds of time and size."""

from __future__ import annotations

import asyncio

import httpx

from ml_api_lab.check import ACCEPTED_ENCODINGS, SubmissionFault, bounded_response

TIMEOUT_SECONDS = 60.0
"""How long an answer may take, in real time: a busy machine makes checks slow, never wrong."""

_MAX_ANSWER_BYTES = 16 * 2**20


def bounded_client(url: str, timeout_seconds: float = TIMEOUT_SECONDS) -> httpx.AsyncClient:
    """Return a client of the server at that URL, whatever proxies this machine is told to use.

    Its requests raise SubmissionFault where an answer is not whole in that time, or too large.
    """
    transport = _BoundedTransport(timeout_seconds)
    return httpx.AsyncClient(
        base_url=url,
        transport=transport,
        headers=ACCEPTED_ENCODINGS,
        timeout=None,
        trust_env=False,
    )


class _BoundedTransport(httpx.AsyncHTTPTransport):
    """Takes answers whole, within bounds of time and size: a server may go on for ever."""

    def __init__(self, timeout_seconds: float) -> None:
        # The servers speak plain HTTP. Certificates would be read for nothing, for each client, and
        # this machine's variables for TLS may name files that are not there.
        super().__init__(verify=False, trust_env=False)
        self._timeout_seconds = timeout_seconds

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        request_line = f"{request.method} {request.url.path}"
        content = bytearray()
        try:
            async with asyncio.timeout(self._timeout_seconds):
                answer = await super().handle_async_request(request)
                try:
                    async for piece in answer.aiter_raw():
                        content += piece
                        if len(content) > _MAX_ANSWER_BYTES:
                            limit = f"more than {_MAX_ANSWER_BYTES // 2**20} MB"
                            raise SubmissionFault(f"{request_line} is answered with {limit}.")
                finally:
                    await answer.aclose()
        except TimeoutError:
            raise SubmissionFault(
                f"{request_line} has no whole answer after {self._timeout_seconds:g} s of real "
                "time."
            ) from None
        return bounded_response(
            request_line, answer.status_code, answer.headers.raw, bytes(content)
        )
