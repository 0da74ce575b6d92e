"""Checks of task 1.3."""

import time

from checks.support.http import expect, expect_json, json_field
from checks.task_1_3 import server_process
from ml_api_lab.check import Task, free_port, on_the_wall_clock, other_address, points

DEFAULT_PORT = 8000

# The contract gives an interrupted server 5 s. A correct one needs a fraction of a second; twice
# the time is for machines that are busy with something else.
END_LIMIT_SECONDS = 10.0

STARTS_TO_WAIT_FOR_AN_END = 10
"""How long, in starts of a server that has its port, one that has not may take to end; a start is
counted as a second at the least."""

# Runs main.py as `python main.py` does, and notes in a file what the application sees of its life.
# Only the class that applications are made of is watched: uvicorn, its logging and main.py itself
# are as they always are.
WATCHED_MAIN = """
import runpy, sys
from fastapi import FastAPI

journal = open(sys.argv[1], "a", buffering=1)
call = FastAPI.__call__

async def __call__(self, scope, receive, send):
    print(scope["type"], file=journal)

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
            expect_json(await client.get("/health"), {"status": "healthy"})
            expect(await client.get("/docs"), 200)
            schema = await client.get("/openapi.json")
            expect(schema, 200)
            json_field(schema, "openapi")
        other = other_address()
        assert other is None or not await server_process.is_reachable(other, port), (
            f"Without HOST it can also be reached at {other}; right is 127.0.0.1 and no other "
            "address."
        )


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
        await server_process.wait_until_listening(server, port, host, unset=unset)
        async with server_process.client(task, port, host) as client:
            await client.get("/health")  # what it answers is another check's question


def _env_with_a_free_port() -> tuple[dict[str, str], int]:
    """Return both variables, and the port: their defaults are other checks' questions."""
    port = free_port()
    return {"HOST": "127.0.0.1", "PORT": str(port)}, port


@on_the_wall_clock
@points(2, hint="What is __name__ in a file that is run, and in one that is imported?")
async def test_imported_it_starts_nothing(task: Task) -> None:
    """Imported it starts nothing; run as a script it starts a server."""
    await task.load(env={"PORT": str(free_port())})
    env, port = _env_with_a_free_port()
    async with server_process.started(task, env) as script:
        await server_process.wait_until_serving_or_ended(script, port)
        if script.status:
            await server_process.wait_until_listening(script, port)
        if (status := script.status) is not None:
            raise server_process.ended(
                status,
                f"Run as a script, main.py ended with exit status {status}; right is that it "
                "serves the application.",
            )


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
            assert status is not None, (
                "Started a second time on the same port, it does not end; right is a non-zero exit."
            )
            assert status != 0, (
                "Started a second time on the same port, it ended with exit status 0, as if all "
                "were well; right is another status."
            )


@on_the_wall_clock
@points(2, hint="What does uvicorn do by itself when Ctrl-C is pressed, and what keeps it from it?")
async def test_an_interrupt_ends_it(task: Task) -> None:
    """An interrupt (Ctrl-C) ends it in order: the application is shut down, no process is left."""
    env, port = _env_with_a_free_port()
    journal = task.files.outside("life.txt")
    command = ("python", "-c", WATCHED_MAIN, str(journal))
    async with server_process.started(task, env, command) as server:
        host, port = await server_process.wait_until_serving(server, port)
        async with server_process.client(task, port, host) as client:
            await client.get("/health")  # what it answers is another check's question
        server.interrupt()
        assert await server_process.has_ended(server, END_LIMIT_SECONDS), (
            f"The server still runs {END_LIMIT_SECONDS:g} s after an interrupt; right is that it "
            "ends within 5 s."
        )
        server_process.expect_nothing_left(server)
        seen = journal.read_text().splitlines()
        output = server.output
    # A server in a process of its own (reload, workers) is seen by what uvicorn logs, and one
    # that logs nothing there is given credit.
    has_begun = "http" in seen or "Application startup complete" in output
    has_shut_down = (
        "lifespan.shutdown.complete" in seen or "Application shutdown complete" in output
    )
    assert has_shut_down or not has_begun, (
        "The server ended, but the application's lifespan was not shut down; right is that uvicorn "
        "ends in order."
    )
