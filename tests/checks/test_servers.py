"""Asking real servers: an answer that never ends keeps no check from ending."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import threading
from collections.abc import Iterable

import pytest

from checks.support import servers
from ml_api_lab.check import SubmissionFault

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"


def ask(sent: Iterable[bytes], patience: float) -> str:
    """Return what is answered by a server that sends these pieces."""
    over = threading.Event()

    def serve() -> None:
        connection, _ = listener.accept()
        with connection, contextlib.suppress(OSError):
            connection.recv(65536)
            for piece in sent:
                connection.sendall(piece)
                if over.wait(0.001):
                    break

    async def get() -> str:
        async with servers.caller(f"http://127.0.0.1:{port}", patience) as client:
            return (await client.get("/health")).text

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(60)
        port = listener.getsockname()[1]
        server = threading.Thread(target=serve)
        server.start()
        try:
            return asyncio.run(get())
        finally:
            over.set()
            server.join()


def test_a_whole_answer_is_taken() -> None:
    sent = [HEAD, b"Content-Length: 4\r\n\r\n", b"he", b"re"]
    assert ask(sent, 60) == "here"


@pytest.mark.parametrize(
    "sent", [itertools.repeat(b""), itertools.chain([HEAD + b"\r\n"], itertools.repeat(b" "))]
)
def test_an_answer_is_not_waited_for_without_end(sent: Iterable[bytes]) -> None:
    with pytest.raises(SubmissionFault, match="GET /health has no whole answer after 0"):
        ask(sent, 0.5)


def test_an_answer_is_not_taken_without_end() -> None:
    pieces = itertools.chain([HEAD + b"\r\n"], itertools.repeat(bytes(2**20)))
    with pytest.raises(SubmissionFault, match="GET /health is answered with more than 16 MB"):
        ask(pieces, 60)


@pytest.mark.parametrize(
    ("printed", "found"),
    [
        ("INFO: Uvicorn running on http://127.0.0.1:8000 (Press CTRL+C to quit)", "8000"),
        ("Uvicorn running on \x1b[1mhttp://127.0.0.1:8000\x1b[0m", "8000"),
        ("running on " + "http://" * 140_000, None),
        ("running on " * 90_000, None),
    ],
)
def test_where_it_says_that_it_runs(printed: str, found: str | None) -> None:
    told = servers._TOLD.search(printed[: servers._TOLD_WITHIN])
    assert (told and told[2]) == found
