"""Answers of real servers: one that never ends keeps no check from ending."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import threading
from collections.abc import Iterable

import pytest

from checks.support.http_client import bounded_client
from ml_api_lab.check import SubmissionFault

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"


def answer_of(sent: Iterable[bytes], timeout_seconds: float) -> str:
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
        async with bounded_client(f"http://127.0.0.1:{port}", timeout_seconds) as client:
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
    assert answer_of(sent, 60) == "here"


@pytest.mark.parametrize(
    "sent", [itertools.repeat(b""), itertools.chain([HEAD + b"\r\n"], itertools.repeat(b" "))]
)
def test_an_answer_is_not_waited_for_without_end(sent: Iterable[bytes]) -> None:
    with pytest.raises(SubmissionFault, match="GET /health has no whole answer after 0"):
        answer_of(sent, 0.5)


def test_an_answer_is_not_taken_without_end() -> None:
    pieces = itertools.chain([HEAD + b"\r\n"], itertools.repeat(bytes(2**20)))
    with pytest.raises(SubmissionFault, match="GET /health is answered with more than 16 MB"):
        answer_of(pieces, 60)
