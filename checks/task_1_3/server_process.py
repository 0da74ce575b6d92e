"""Judging a server that runs as a process of its own, on a real socket.

Real time is used generously: a busy machine makes these checks slow, never wrong.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import sys
import textwrap
import time
import weakref
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING

from checks.support.http_client import TIMEOUT_SECONDS, bounded_client
from ml_api_lab.check import Conclusive, Hinted, NoPort, State, free_port, other_address

if TYPE_CHECKING:
    import httpx

    from ml_api_lab.check import Process, Task

START_LIMIT_SECONDS = 60.0
"""How long a server may take to start, in seconds of real time."""

_POLL_SECONDS = 0.03
_MOST_POLL_SECONDS = 0.5
_SETTLE_LIMIT_SECONDS = 5.0
_IDLE_LOOKS = 3
"""At how many looks running nothing computes: a helper that loads waits for the disk at times."""

_SHOWN_CHARACTERS = 60
"""How much of a command line a sentence has."""

_SCRIPT = ("python", "main.py")
_ANNOUNCED = re.compile(r"running on \S{0,40}?https?://(\S{1,255}):(\d{1,5})")
_STARTED = "Started server process"
_TRACED_LINE = re.compile(
    r'File "([^"\n]{0,500}\bmain\.py)", line (\d{1,6}), in [^\n]{1,200}\n +(\S[^\n]{0,200})'
)
_IN_USE = "already in use"
_TRACEBACK = "Traceback (most recent call last)"
_EXCEPTION = re.compile(r"^([A-Za-z_][\w.]{0,80}(?:: .{0,200})?)$", re.MULTILINE)
_LOOPBACK = {
    **dict.fromkeys(("127.0.0.1", "localhost", "0.0.0.0"), "127.0.0.1"),
    **dict.fromkeys(("::1", "::"), "::1"),
}
"""How this machine can ask whoever listens on these addresses."""

_SEARCHED_CHARACTERS = 100_000
"""How far into the output to look for the announcement, and how far back for an exception."""


# A real server takes real time to start: what one check has seen, no other looks at again.
# Alone, each looks for itself.
_started_with: weakref.WeakKeyDictionary[Process, State] = weakref.WeakKeyDictionary()
_have_served: set[State] = set()


@contextlib.asynccontextmanager
async def started(
    task: Task, env: Mapping[str, str], command: tuple[str, ...] = _SCRIPT
) -> AsyncIterator[Process]:
    """Start a process, and end it with all that it printed on record."""
    state = task.files.state()
    process = task.start(list(command), env)
    if command == _SCRIPT:
        _started_with[process] = state
    try:
        yield process
    finally:
        process.close()


def _note_serving(server: Process) -> None:
    if (state := _started_with.get(server)) is not None:
        _have_served.add(state)


def has_served(task: Task) -> bool:
    """Whether a check of the same files has seen `python main.py` serve."""
    return task.files.state() in _have_served


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
            _note_serving(server)
            return
        if status is not None:
            raise ended(server, port, host)
        if elsewhere is not None:
            raise _runs_elsewhere(elsewhere, host, port, unset)
        await asyncio.sleep(_POLL_SECONDS)
    raise AssertionError(
        f"Nothing listened on {url(host, port)} within {START_LIMIT_SECONDS:g} s; "
        "right is that the server does, for these HOST and PORT."
    )


class _Conclusive(Conclusive, Hinted):
    """It would be the same at any other time; the hint follows from what was seen."""


class _NoPort(NoPort, Hinted):
    """It may be that another server had its port; the hint is for a server that was alone."""


async def judged(server: Process, error: AssertionError) -> AssertionError:
    """Return that error of a server that should have ended: conclusive, if all of it waits.

    What a busy machine has kept from ending still has something to do. Only Linux tells.
    """
    for _ in range(_IDLE_LOOKS):
        if sys.platform != "linux" or server.is_at_work():
            return error
        await asyncio.sleep(_POLL_SECONDS)
    if isinstance(error, Hinted):
        return _Conclusive(str(error), error.hint)
    return Conclusive(str(error))


def ended(server: Process, port: int, host: str = "127.0.0.1") -> AssertionError:
    """Return the failure of a program that has ended and should have served at that address."""
    right = "right is that it serves until it is interrupted"
    if raised := exception_in(server.output):
        # The same in every check, so that one card is enough.
        return (_NoPort if _IN_USE in raised.lower() else Hinted)(
            f"python main.py raised {raised}{_place_in(server.output)}, and ended; {right}."
        )
    sentence = (
        f"The server ended with exit status {server.status} before anything listened on "
        f"{url(host, port)}"
    )
    if _STARTED in server.output:
        sentence += f"; {right}."
        hint = "What ends the program while uvicorn still runs: in which thread does it run?"
    else:
        sentence += f", and uvicorn has not said that it started; {right}."
        hint = "Which call runs a server until it is interrupted, and does your program come to it?"
    return (_NoPort if server.status else _Conclusive)(sentence, hint)


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
        hint = reading_hint(wrong[0])
        if wrong[0] == unset:
            hint = default_hint(unset)
    return Hinted(
        f"With {given}, the server runs on {url(*announced)}: {seen}; right is {url(host, port)}.",
        hint,
    )


async def announced_with(task: Task, host: str, port: int) -> tuple[str, int] | None:
    """Start the server once more with this HOST and PORT; return where it says that it runs."""
    give_up = time.monotonic() + START_LIMIT_SECONDS
    async with started(task, {"HOST": host, "PORT": str(port)}) as server:
        while time.monotonic() < give_up and server.status is None:
            if announced := announced_address(server.output):
                return announced
            await asyncio.sleep(_POLL_SECONDS)
    return None


async def expect_only_here(task: Task, server: Process, port: int) -> None:
    """Assert that a server without HOST cannot be reached at another address of this machine."""
    other = other_address()
    if other is None or not await is_reachable(other, port):
        return
    announced = announced_address(server.output)
    runs = f"the server runs on {url(*announced)} and" if announced else "it"
    sentence = (
        f"Without HOST {runs} can also be reached at {other}; right is 127.0.0.1 and no other "
        "address."
    )
    with_host = await announced_with(task, other, free_port())
    if with_host is not None and with_host[0] != other:
        raise Hinted(f"{sentence} It is the same with HOST={other}.", reading_hint("HOST"))
    raise Hinted(sentence, default_hint("HOST"))


def reading_hint(variable: str) -> str:
    """Return what to ask where the value of a variable has no effect."""
    return f"Which line of yours reads {variable}, and where does its value go?"


def default_hint(variable: str) -> str:
    """Return what to ask where a variable that is not set leads to a wrong value."""
    return f"What does your program take for {variable} when nobody has set it?"


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
            _note_serving(server)
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


def _place_in(output: str) -> str:
    """Return the line of main.py that an exception went through last, as " (line 3: ...)"."""
    found = _TRACED_LINE.findall(output[-_SEARCHED_CHARACTERS:])
    # uvicorn has a file of that name, too.
    own = [line for file, *line in found if "-packages" not in file]
    if not own:
        return ""
    number, source = own[-1]
    return f" (line {number}: {textwrap.shorten(source, _SHOWN_CHARACTERS, placeholder=' ...')})"


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


async def wait_until_settled(server: Process) -> None:
    """Wait until whatever else the server has started has nothing to do for the moment.

    A person presses Ctrl-C seconds after the start. A helper that is still loading then would be
    ended by what it is going to ignore: on a busy machine that takes long.
    """
    give_up = time.monotonic() + _SETTLE_LIMIT_SECONDS
    idle_looks = 0
    while server.leftover_commands() and time.monotonic() < give_up:
        idle_looks = 0 if server.is_at_work() else idle_looks + 1
        if idle_looks == _IDLE_LOOKS:
            return
        await asyncio.sleep(_POLL_SECONDS)


async def expect_nothing_left(server: Process) -> None:
    """Assert that a server that has ended has left no process behind."""
    if not server.has_leftovers():
        return
    commands = server.leftover_commands()
    shown = f": {textwrap.shorten(commands[0], _SHOWN_CHARACTERS)}" if commands else ""
    error = Hinted(
        f"The server ended and left a process behind{shown}; right is that nothing of it still "
        "runs.",
        "Which line of yours starts that process, and who ends it when the server ends?",
    )
    raise await judged(server, error)


async def exit_status(server: Process, host: str, port: int, limit_seconds: float) -> int | None:
    """Wait until a server that cannot have its port ends; return its status, None if it serves."""
    give_up = time.monotonic() + limit_seconds
    while server.status is None and time.monotonic() < give_up:
        elsewhere = announced_elsewhere(server, host, port)
        if elsewhere is not None:
            raise Hinted(
                f"Its port was in use, and the server runs on {url(*elsewhere)}; right is that "
                "it ends.",
                "uvicorn takes no other port by itself. What of yours does when one is in use?",
            )
        await asyncio.sleep(_POLL_SECONDS)
    return server.status


def client(task: Task, port: int, host: str = "127.0.0.1") -> httpx.AsyncClient:
    """Return a client of the server there, to be used as a context.

    An answer may take as long as a check.
    """
    return bounded_client(url(host, port), min(TIMEOUT_SECONDS, task.clock.budget))


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


def url(host: str, port: int) -> str:
    """Return the address of a server at that host and port."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
