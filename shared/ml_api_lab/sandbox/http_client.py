"""An httpx client whose requests travel over the link, with their lab times on the answers."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import httpx

from ml_api_lab.lab_time import Span
from ml_api_lab.sandbox.responses import ACCEPTED_ENCODINGS, bounded_response
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
        return bounded_response(
            exchange.name,
            exchange.status,
            [(name.encode("latin-1"), each.encode("latin-1")) for name, each in exchange.headers],
            exchange.body,
            {"lab": (exchange.sent, exchange.completed)},
        )


class LabClient(httpx.AsyncClient):
    """A client of a submission; requests wait for their answers without a timeout.

    Unless it is to follow redirects, it sends each request once, keeps no cookie and looks for no
    credentials: to find out that there is nothing of the kind takes httpx's own client twice as
    long as all the rest.
    """

    def __init__(self, submission: Submission) -> None:
        self._link = LinkTransport(submission)
        super().__init__(
            transport=self._link, base_url=_BASE_URL, headers=ACCEPTED_ENCODINGS, timeout=None
        )

    def build_request(self, method: str, url: httpx.URL | str, **options: Any) -> httpx.Request:
        return super().build_request(method, _absolute(str(url)), **options)

    async def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        if options.get("follow_redirects") is True:
            return await super().send(request, **options)
        response = await self._link.handle_async_request(request)
        response.request = request
        return response


@lru_cache
def _absolute(url: str) -> httpx.URL:
    """Return the URL of a path; to parse one takes longer than to send it."""
    return httpx.URL(f"{_BASE_URL}{url}" if url.startswith("/") else url)


def took(response: httpx.Response) -> Span:
    """Return the lab time from sending the request to the end of its answer."""
    sent, completed = response.extensions["lab"]
    return Span.__sub__(completed, sent)


def answered_at(response: httpx.Response) -> Span:
    """Return the moment at which the answer was complete."""
    completed: Span = response.extensions["lab"][1]
    return completed
