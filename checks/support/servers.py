"""Judging a server that runs as a process of its own, on a real socket.

Real time is used generously: a busy machine makes these checks slow, never wrong.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import time
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING

import httpx

from ml_api_lab.check import SubmissionFault, other_address

if TYPE_CHECKING:
    from ml_api_lab.check import Process, Task

PATIENCE = 60.0
"""How long a server may take to start, and a request to be answered, in seconds of real time."""

_MOST = 16 * 2**20
"""How much a server may answer, in bytes."""

_POLL = 0.03
_SCRIPT = ("python", "main.py")
_TOLD = re.compile(r"running on \S{0,40}?https?://(\S{1,255}):(\d{1,5})")
_TOLD_WITHIN = 100_000
"""How far into the output to look for it, in characters."""


@contextlib.asynccontextmanager
async def process(
    task: Task, env: Mapping[str, str], command: tuple[str, ...] = _SCRIPT
) -> AsyncIterator[Process]:
    """Start a process, and end it with all that it printed on record."""
    started = task.start(list(command), env)
    try:
        yield started
    finally:
        started.close()


async def listening(server: Process, port: int, host: str = "127.0.0.1") -> None:
    """Wait until the server accepts connections there; assert that it does."""
    give_up = time.monotonic() + PATIENCE
    while time.monotonic() < give_up:
        status, there = server.status, runs_elsewhere(server, host, port)
        if await reachable(host, port):
            return
        assert status is None, (
            f"The server ended with exit status {status} before anything listened on "
            f"{_url(host, port)}; right is that it serves there until it is interrupted."
        )
        assert there is None, (
            f"The server runs on {there}; right, for these HOST and PORT, is {_url(host, port)}."
        )
        await asyncio.sleep(_POLL)
    raise AssertionError(
        f"Nothing listened on {_url(host, port)} within {PATIENCE:g} s; "
        "right is that the server does, for these HOST and PORT."
    )


def runs_elsewhere(server: Process, host: str, port: int) -> str | None:
    """Return the address that uvicorn says it runs on, if it is surely another."""
    told = _TOLD.search(server.output[:_TOLD_WITHIN])
    if told is None:
        return None
    named, number = told[1].strip("[]"), int(told[2])
    # All addresses of the other family are no address of this one.
    everywhere = "::" if ":" in host else "0.0.0.0"
    if number == port and named in (host, "localhost", everywhere):
        return None
    return _url(named, number)


async def reachable(host: str, port: int) -> bool:
    """Whether something accepts connections there at this moment."""
    try:
        async with asyncio.timeout(1):
            _, writer = await asyncio.open_connection(host, port)
    except OSError:  # also the time-out
        return False
    writer.close()
    return True


def taken(port: int) -> bool:
    """Whether something listens on that port of 127.0.0.1; for a check in lab time as well."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


async def ended(server: Process, limit: float) -> bool:
    """Wait until the process has ended, and whatever it has started; return whether it did."""
    give_up = time.monotonic() + limit
    await server.wait_for_exit(limit)
    while server.has_leftovers() and time.monotonic() < give_up:
        await asyncio.sleep(_POLL)
    return server.status is not None


async def status_of(server: Process, port: int) -> int | None:
    """Wait until a server that cannot have its port ends; return its status, None if it serves."""
    give_up = time.monotonic() + PATIENCE
    while server.status is None and time.monotonic() < give_up:
        there = runs_elsewhere(server, "127.0.0.1", port)
        assert there is None, (
            f"Its port was in use, and the server runs on {there}; right is that it ends."
        )
        await asyncio.sleep(_POLL)
    return server.status


@contextlib.asynccontextmanager
async def client(port: int, host: str = "127.0.0.1") -> AsyncIterator[httpx.AsyncClient]:
    """Give a client of the server there, whatever proxies this machine is told to use."""
    async with caller(_url(host, port)) as requests:
        yield requests


def caller(url: str, patience: float = PATIENCE) -> httpx.AsyncClient:
    """Return a client of a real server, which is given that many seconds for each answer."""
    transport = _WholeAnswers(patience)
    return httpx.AsyncClient(base_url=url, transport=transport, timeout=None, trust_env=False)


class _WholeAnswers(httpx.AsyncHTTPTransport):
    """Takes answers whole, within bounds of time and size: a server may go on for ever."""

    def __init__(self, patience: float) -> None:
        super().__init__(trust_env=False)
        self._patience = patience

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        asked = f"{request.method} {request.url.path}"
        content = bytearray()
        try:
            async with asyncio.timeout(self._patience):
                answer = await super().handle_async_request(request)
                try:
                    async for piece in answer.aiter_raw():
                        content += piece
                        if len(content) > _MOST:
                            much = f"more than {_MOST // 2**20} MB"
                            raise SubmissionFault(f"{asked} is answered with {much}.")
                finally:
                    await answer.aclose()
        except TimeoutError:
            raise SubmissionFault(
                f"{asked} has no whole answer after {self._patience:g} s of real time."
            ) from None
        return httpx.Response(answer.status_code, headers=answer.headers, content=bytes(content))


def own_address(port: int) -> str | None:
    """Return another address of this machine than 127.0.0.1 where that port is free, if any is.

    Linux and Windows have millions of them, macOS has ::1.
    """
    for host, family in ((other_address(), socket.AF_INET), ("::1", socket.AF_INET6)):
        if host is None or not host.startswith(("127.", "::1")):
            continue
        try:
            with socket.create_server((host, port), family=family):
                return host
        except OSError:
            continue
    return None


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
