"""Checks of task 1.3."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from checks.support.http import (
    expect,
    expect_json,
    expect_known_path,
    is_fastapis_not_found,
    json_field,
    request_line,
)
from checks.task_1_3 import server_process
from ml_api_lab.check import (
    Hinted,
    Task,
    free_port,
    on_the_wall_clock,
    points,
)

if TYPE_CHECKING:
    import httpx

DEFAULT_PORT = 8000

_SHOWN_CHARACTERS = 80
"""How much of a printed line a sentence has."""

# The contract gives an interrupted server 5 s. A correct one needs a fraction of a second; twice
# the time is for machines that are busy with something else.
END_LIMIT_SECONDS = 10.0

_INTERRUPTS = 3
"""How often a server is interrupted that ends before it has shut its application down."""

STARTS_TO_WAIT_FOR_AN_END = 10
"""How long, in starts of a server that has its port, one that has not may take to end; a start is
counted as a second at the least."""

# Runs main.py as `python main.py` does, and notes in a file what the application sees of its life.
# Only the class that applications are made of is watched: uvicorn, its logging and main.py itself
# are as they always are.
WATCHED_MAIN = """
import runpy, signal, sys, threading
from fastapi import FastAPI

journal = open(sys.argv[1], "a", buffering=1)
call = FastAPI.__call__

async def __call__(self, scope, receive, send):
    print(scope["type"], file=journal)
    if threading.current_thread() is not threading.main_thread():
        print("other thread", file=journal)
    code = getattr(signal.getsignal(signal.SIGINT), "__code__", None)
    if code and code.co_filename == "main.py":
        print("handler in line", code.co_firstlineno, file=journal)

    async def note(event):
        await send(event)
        print(event["type"], file=journal)

    await call(self, scope, receive, note if scope["type"] == "lifespan" else send)

FastAPI.__call__ = __call__
sys.argv[:] = ["main.py"]
runpy.run_path("main.py", run_name="__main__")
"""


@on_the_wall_clock
@points(2, hint="Where does a process find its environment, and of which type is what it finds?")
async def test_it_serves_on_the_port_of_the_environment(task: Task) -> None:
    """python main.py serves the application on PORT, by default for this machine alone."""
    port = free_port()
    async with server_process.started(task, {"PORT": str(port)}) as server:
        await server_process.wait_until_listening(server, port, unset="HOST")
        async with server_process.client(task, port) as client:
            health = await client.get("/health")
            if is_fastapis_not_found(health):
                await _expect_own_app(task, health)
                await expect_known_path(client, health)
            expect_json(health, {"status": "healthy"})
            await _expect_docs(client)
            schema = await client.get("/openapi.json")
            expect(schema, 200)
            json_field(schema, "openapi")
        await server_process.expect_only_here(task, server, port)


async def _expect_own_app(task: Task, answer: httpx.Response) -> None:
    """Assert of an endpoint that the server does not know that `app` does not have it either."""
    env, _ = _env_with_a_free_port()
    async with task.serve(env) as own:
        has_it = (await own.get("/health")).is_success
        task.transcript.entries.clear()  # only what the server answered is shown
        task.transcript.requests.clear()
        if has_it:
            raise Hinted(
                f"{request_line(answer)} answered 404 from the server, but 200 from the `app` of "
                "main.py; right is that the server serves this app.",
                "Which application does your call of uvicorn get, and is it the one whose "
                "endpoints you wrote?",
            )


async def _expect_docs(client: httpx.AsyncClient) -> None:
    """Assert that /docs answers 200; if not, say whether what it shows is there."""
    docs = await client.get("/docs")
    if is_fastapis_not_found(docs):
        status = (await client.get("/openapi.json")).status_code
        raise Hinted(
            f"GET /docs answered 404, and GET /openapi.json {status}; right is 200 for both.",
            "FastAPI makes both by itself. Which argument of your FastAPI(...) takes one away, or "
            "moves it?",
        )
    expect(docs, 200)


@on_the_wall_clock
@points(2, hint="Which address does your server take, and where does it come from?")
async def test_it_serves_on_the_host_of_the_environment(task: Task) -> None:
    """python main.py serves the application on HOST, by default at port 8000."""
    # The default port is free at an address of its own, whatever this machine serves at
    # 127.0.0.1; only what serves at all addresses keeps it from being judged.
    host, env, port = server_process.other_loopback_address(DEFAULT_PORT), {}, DEFAULT_PORT
    if host is None:
        port = free_port()
        host, env = server_process.other_loopback_address(port) or "127.0.0.1", {"PORT": str(port)}
    async with server_process.started(task, {"HOST": host, **env}) as server:
        unset = "" if env else "PORT"
        wrong_port = None
        try:
            await server_process.wait_until_listening(server, port, host, unset=unset)
        except Hinted as seen:
            elsewhere = server_process.announced_elsewhere(server, host, port)
            if not unset or elsewhere is None or elsewhere[1] == port:
                raise
            wrong_port = seen
        else:
            async with server_process.client(task, port, host) as client:
                await client.get("/health")  # what it answers is another check's question
    if wrong_port is not None:
        other_port = free_port()
        announced = await server_process.announced_with(task, host, other_port)
        if announced is None:
            raise wrong_port
        ignores_port = announced[0] == host and announced[1] != other_port
        raise Hinted(
            f"{wrong_port} With PORT={other_port} as well, it runs on "
            f"{server_process.url(*announced)}.",
            server_process.reading_hint("PORT") if ignores_port else wrong_port.hint,
        )


def _env_with_a_free_port() -> tuple[dict[str, str], int]:
    """Return both variables, and the port: their defaults are other checks' questions."""
    port = free_port()
    return {"HOST": "127.0.0.1", "PORT": str(port)}, port


@on_the_wall_clock
@points(2, hint="What is __name__ in a file that is run, and in one that is imported?")
async def test_imported_it_starts_nothing(task: Task) -> None:
    """Imported it starts nothing; run as a script it starts a server."""
    await task.load(env={"PORT": str(free_port())})
    if server_process.has_served(task):
        return
    env, port = _env_with_a_free_port()
    async with server_process.started(task, env) as script:
        await server_process.wait_until_serving_or_ended(script, port)
        if script.status is not None:
            raise server_process.ended(script, port)


@on_the_wall_clock
@points(2, hint="What does a program tell the shell when it could not do its work?")
async def test_a_port_in_use_ends_it(task: Task) -> None:
    """Started on a port that is in use, it ends with a non-zero exit status."""
    env, port = _env_with_a_free_port()
    begun = time.monotonic()
    async with server_process.started(task, env) as first:
        host, port = await server_process.wait_until_serving(first, port)
        start = max(1.0, time.monotonic() - begun)
        async with server_process.started(task, env) as second:
            limit = min(start * STARTS_TO_WAIT_FOR_AN_END, server_process.START_LIMIT_SECONDS)
            status = await server_process.exit_status(second, host, port, limit)
            if status is None:
                raise Hinted(
                    "Started a second time on the same port, it does not end; right is a non-zero "
                    "exit.",
                    "uvicorn gives up then. What of yours goes on: a loop around it, or another "
                    "thread?",
                )
            if status == 0:
                raise _ended_as_if_all_were_well(second.output)


def _ended_as_if_all_were_well(output: str) -> Hinted:
    """Return the error of a server that could not have its port and ended with exit status 0."""
    told = "address already in use" in output
    last = next((line.strip() for line in reversed(output.splitlines()) if line.strip()), "")
    seen = ", after uvicorn had said that the address is in use" if told else ""
    printed = f" The last line that it printed is {last[:_SHOWN_CHARACTERS]!r}." if last else ""
    return Hinted(
        "Started a second time on the same port, it ended with exit status 0, as if all were "
        f"well{seen}; right is another status.{printed}",
        "uvicorn ends such a program with a status of its own, by SystemExit. What of yours "
        "catches that, or ends it in another way?",
    )


@on_the_wall_clock
@points(2, hint="What does uvicorn do by itself when Ctrl-C is pressed, and what keeps it from it?")
async def test_an_interrupt_ends_it(task: Task) -> None:
    """An interrupt (Ctrl-C) ends it in order: the application is shut down, no process is left."""
    seen: list[str] = []
    for _ in range(_INTERRUPTS):
        task.transcript.lines.clear()  # a card shows the last one
        seen, output = await _interrupted(task)
        # A server in a process of its own (reload, workers) is seen by what uvicorn logs, and one
        # that logs nothing there is given credit.
        has_begun = "http" in seen or "Application startup complete" in output
        has_shut_down = (
            "lifespan.shutdown.complete" in seen or "Application shutdown complete" in output
        )
        if has_shut_down or not has_begun:
            return
        if "Shutting down" not in output:
            break
        # It was about to. Who has started it may wait for a part of a second only, as
        # subprocess.call does: on a busy machine that is not always enough.
    raise _not_shut_down(seen)


async def _interrupted(task: Task) -> tuple[list[str], str]:
    """Start the server and interrupt it; return what the application saw, and what was printed."""
    env, port = _env_with_a_free_port()
    journal = task.files.outside("life.txt")
    journal.unlink(missing_ok=True)
    command = ("python", "-c", WATCHED_MAIN, str(journal))
    async with server_process.started(task, env, command) as server:
        host, port = await server_process.wait_until_serving(server, port)
        async with server_process.client(task, port, host) as client:
            await client.get("/health")  # what it answers is another check's question
        await server_process.wait_until_settled(server)
        server.interrupt()
        if not await server_process.has_ended(server, END_LIMIT_SECONDS):
            raise await server_process.judged(server, _still_runs(journal.read_text()))
        await server_process.expect_nothing_left(server)
        return journal.read_text().splitlines(), server.output


def _still_runs(journal: str) -> AssertionError:
    """Return the error of a server that an interrupt has not ended."""
    still = f"The server still runs {END_LIMIT_SECONDS:g} s after an interrupt"
    right = "right is that it ends within 5 s"
    shut_down, _, later = journal.partition("lifespan.shutdown.complete")
    if shut_down == journal:
        return AssertionError(f"{still}; {right}.")
    again = "started again" if "lifespan.startup.complete" in later else "went on"
    return Hinted(
        f"{still}: the application was shut down, and the program {again}; {right}.",
        "What does your program do once uvicorn has ended?",
    )


def _not_shut_down(seen: list[str]) -> AssertionError:
    """Return the error of a server that has ended without its application's shutdown."""
    ended = "The server ended, but the application's lifespan was not shut down"
    handlers = [line for line in seen if line.startswith("handler")]
    if "http" in seen and "lifespan" not in seen:
        return Hinted(
            f"{ended}, nor was it started before; right is both.",
            "Which argument of uvicorn.run says whether an application has a lifespan?",
        )
    if handlers:
        thread = ", which ran in another thread" if "other thread" in seen else ""
        return Hinted(
            f"{ended}: the interrupt went to a {handlers[-1]} of main.py, not to uvicorn{thread}; "
            "right is that uvicorn ends in order.",
            "uvicorn takes an interrupt by itself in the main thread. What does yours do with it?",
        )
    return AssertionError(f"{ended}; right is that uvicorn ends in order.")
