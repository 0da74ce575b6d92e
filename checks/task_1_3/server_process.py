"""Judging a server that runs as a process of its own, on a real socket.

Real time is used generously: a busy machine makes these checks slow, never wrong.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import textwrap
import time
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING

from checks.support.http_client import TIMEOUT_SECONDS, bounded_client
from ml_api_lab.check import EndedInOrder, Hinted, other_address

if TYPE_CHECKING:
    import httpx

    from ml_api_lab.check import Process, Task

START_LIMIT_SECONDS = 60.0
"""How long a server may take to start, in seconds of real time."""

_POLL_SECONDS = 0.03
_MOST_POLL_SECONDS = 0.5
_SHOWN_CHARACTERS = 60
"""How much of a command line a sentence has."""

_SCRIPT = ("python", "main.py")
_ANNOUNCED = re.compile(r"running on \S{0,40}?https?://(\S{1,255}):(\d{1,5})")
_TRACEBACK = "Traceback (most recent call last)"
_EXCEPTION = re.compile(r"^([A-Za-z_][\w.]{0,80}(?:: .{0,200})?)$", re.MULTILINE)
_LOOPBACK = {
    **dict.fromkeys(("127.0.0.1", "localhost", "0.0.0.0"), "127.0.0.1"),
    **dict.fromkeys(("::1", "::"), "::1"),
}
"""How this machine can ask whoever listens on these addresses."""

_SEARCHED_CHARACTERS = 100_000
"""How far into the output to look for the announcement, and how far back for an exception."""


@contextlib.asynccontextmanager
async def started(
    task: Task, env: Mapping[str, str], command: tuple[str, ...] = _SCRIPT
) -> AsyncIterator[Process]:
    """Start a process, and end it with all that it printed on record."""
    process = task.start(list(command), env)
    try:
        yield process
    finally:
        process.close()


async def wait_until_listening(
    server: Process, port: int, host: str = "127.0.0.1", *, unset: str = ""
) -> None:
    """Wait until the server accepts connections there; assert that it does.

    Args:
        unset: which of HOST and PORT is not set, so that its default is right; "" for none.
    """
    give_up = time.monotonic() + START_LIMIT_SECONDS
    while time.monotonic() < give_up:
        status, elsewhere = server.status, announced_elsewhere(server, host, port)
        if await is_reachable(host, port):
            return
        if status is not None:
            right = "right is that it serves until it is interrupted"
            if raised := exception_in(server.output):
                # The same in every check, so that one card is enough.
                raise Hinted(f"python main.py raised {raised}, and ended; {right}.")
            raise ended(
                status,
                f"The server ended with exit status {status} before anything listened on "
                f"{_url(host, port)}; {right}.",
            )
        if elsewhere is not None:
            raise _runs_elsewhere(elsewhere, host, port, unset)
        await asyncio.sleep(_POLL_SECONDS)
    raise AssertionError(
        f"Nothing listened on {_url(host, port)} within {START_LIMIT_SECONDS:g} s; "
        "right is that the server does, for these HOST and PORT."
    )


def ended(status: int, sentence: str) -> AssertionError:
    """Return the failure of a program that ended with that status and should have gone on."""
    return AssertionError(sentence) if status else EndedInOrder(sentence)


def _runs_elsewhere(announced: tuple[str, int], host: str, port: int, unset: str) -> Hinted:
    """Return the error of a server that says it runs on another address: what is wrong of it."""
    variables = {"HOST": host, "PORT": str(port)}
    given = " and ".join(
        f"{name} not set, which means {value}" if name == unset else f"{name}={value}"
        for name, value in sorted(variables.items(), key=lambda each: each[0] == unset)
    )
    is_right = {"HOST": _is_same_host(announced[0], host), "PORT": announced[1] == port}
    wrong = [name for name, right in is_right.items() if not right]
    if len(wrong) > 1:
        seen = "neither the host nor the port is right"
        hint = "Which line of yours reads HOST, which one PORT, and what if one of them is not set?"
    else:
        seen = f"the {wrong[0].lower()} is not right"
        hint = f"Which line of yours reads {wrong[0]}, and where does its value go?"
        if wrong[0] == unset:
            hint = f"What does your program take for {unset} when nobody has set it?"
    return Hinted(
        f"With {given}, the server runs on {_url(*announced)}: {seen}; right is "
        f"{_url(host, port)}.",
        hint,
    )


async def wait_until_serving(server: Process, port: int) -> tuple[str, int]:
    """Wait until the server accepts connections, at that port or where it says that it runs.

    For checks that ask something else than where it serves. Return that address.
    """
    await wait_until_serving_or_ended(server, port)
    address = await _address_of(server, port)
    if address is None:
        await wait_until_listening(server, port)
    return address or ("127.0.0.1", port)


async def wait_until_serving_or_ended(server: Process, port: int) -> None:
    """Wait until the server accepts connections anywhere, has ended, or has had its time."""
    give_up = time.monotonic() + START_LIMIT_SECONDS
    while time.monotonic() < give_up and server.status is None:
        if await _address_of(server, port) is not None:
            return
        await asyncio.sleep(_POLL_SECONDS)


async def _address_of(server: Process, port: int) -> tuple[str, int] | None:
    """Return where the server can be reached at this moment, at that port or another."""
    addresses = [("127.0.0.1", port)]
    # Its own word leads no further than to this machine.
    if (announced := announced_address(server.output)) and announced[0] in _LOOPBACK:
        addresses.append((_LOOPBACK[announced[0]], announced[1]))
    for each in addresses:
        if await is_reachable(*each):
            return each
    return None


def exception_in(output: str) -> str | None:
    """Return the exception that a program's output ends with, as Python writes it, if any."""
    if _TRACEBACK not in output:
        return None
    found = _EXCEPTION.findall(output[-_SEARCHED_CHARACTERS:])
    return found[-1].strip() if found else None


def announced_address(output: str) -> tuple[str, int] | None:
    """Return the host and the port that uvicorn says it runs on, if it does."""
    found = _ANNOUNCED.search(output[:_SEARCHED_CHARACTERS])
    return (found[1].strip("[]"), int(found[2])) if found else None


def announced_elsewhere(server: Process, host: str, port: int) -> tuple[str, int] | None:
    """Return where uvicorn says it runs, if it is surely another address."""
    announced = announced_address(server.output)
    if announced is None or (announced[1] == port and _is_same_host(announced[0], host)):
        return None
    return announced


def _is_same_host(announced: str, host: str) -> bool:
    """Whether a server that names this host may be reached at that address."""
    # All addresses of the other family are no address of this one.
    every_address = "::" if ":" in host else "0.0.0.0"
    is_localhost = announced == "localhost" and host in _LOOPBACK.values()
    return is_localhost or announced in (host, every_address)


async def is_reachable(host: str, port: int) -> bool:
    """Whether something accepts connections there at this moment."""
    try:
        async with asyncio.timeout(1):
            _, writer = await asyncio.open_connection(host, port)
    except OSError:  # also the time-out
        return False
    writer.close()
    return True


async def has_ended(server: Process, limit_seconds: float) -> bool:
    """Wait until the process has ended, and whatever it has started; return whether it did."""
    give_up = time.monotonic() + limit_seconds
    await server.wait_for_exit(limit_seconds)
    pause = _POLL_SECONDS
    while server.has_leftovers() and time.monotonic() < give_up:
        await asyncio.sleep(pause)
        pause = min(2 * pause, _MOST_POLL_SECONDS)  # each look is at all processes there are
    return server.status is not None


def expect_nothing_left(server: Process) -> None:
    """Assert that a server that has ended has left no process behind."""
    if not server.has_leftovers():
        return
    commands = server.leftover_commands()
    shown = f": {textwrap.shorten(commands[0], _SHOWN_CHARACTERS)}" if commands else ""
    raise Hinted(
        f"The server ended and left a process behind{shown}; right is that nothing of it still "
        "runs.",
        "Which line of yours starts that process, and who ends it when the server ends?",
    )


async def exit_status(server: Process, host: str, port: int, limit_seconds: float) -> int | None:
    """Wait until a server that cannot have its port ends; return its status, None if it serves."""
    give_up = time.monotonic() + limit_seconds
    while server.status is None and time.monotonic() < give_up:
        elsewhere = announced_elsewhere(server, host, port)
        assert elsewhere is None, (
            f"Its port was in use, and the server runs on {elsewhere and _url(*elsewhere)}; right "
            "is that it ends."
        )
        await asyncio.sleep(_POLL_SECONDS)
    return server.status


def client(task: Task, port: int, host: str = "127.0.0.1") -> httpx.AsyncClient:
    """Return a client of the server there, to be used as a context.

    An answer may take as long as a check.
    """
    return bounded_client(_url(host, port), min(TIMEOUT_SECONDS, task.clock.budget))


def other_loopback_address(port: int) -> str | None:
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
