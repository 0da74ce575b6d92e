"""Requests over the link: when they are answered, and what is no answer."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from typing import Any

import pytest

from ml_api_lab.check import Span, SubmissionFault, seconds, took
from ml_api_lab.sandbox.clock import Clock
from ml_api_lab.sandbox.transcript import RequestRecord
from ml_api_lab.task import Task
from tests.support.faults import ASKED, SERVE, SPEAK_ON_LINK, Fault, app, each_fault
from tests.support.toy import LIMIT, Scenes
from tests.support.waiting_app import play_served


def test_the_answer_does_not_wait_for_work_behind_it(apps: Scenes) -> None:
    async def scene(client: Any, clock: Clock, task: Task) -> tuple[Span, Span, list[Any]]:
        first = await client.get("/background/5")
        other = await client.get("/now")
        await asyncio.sleep(7)
        return took(first), took(other), [(line.at, line.text) for line in task.transcript.lines]

    assert play_served(apps, scene) == (0, 0, [(seconds(5), "logged")])


def test_a_client_that_goes_away_is_told_apart(apps: Scenes) -> None:
    async def scene(client: Any, clock: Clock, task: Task) -> str:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(2):
                await client.get("/sleep/9")
        assert clock.now == seconds(2)
        return str((await client.get("/now")).text)

    assert play_served(apps, scene) == '"09:00:02"'


def test_an_answer_that_breaks_off_is_no_answer(apps: Scenes) -> None:
    source = """
        from fastapi import FastAPI
        from fastapi.responses import StreamingResponse

        app = FastAPI()

        def rows():
            yield "begun"
            raise ValueError("half way")

        @app.get("/")
        async def get():
            return StreamingResponse(rows())
    """

    async def scene(task: Task, clock: Clock) -> list[str]:
        async with task.serve() as client:
            with pytest.raises(SubmissionFault) as broken:
                await client.get("/")
            (_, asked), (_, noted) = task.transcript.entries
            assert isinstance(asked, RequestRecord) and isinstance(noted, str)
            return [str(broken.value), asked.text, noted]

    sentence, asked, noted = apps.play(source, scene)
    assert sentence == (
        "GET / was answered 200, and broken off by ValueError: half way (task_9_9/main.py:9 "
        "in rows)."
    )
    assert (asked, noted) == ("GET /", f"!! {sentence}")


@pytest.mark.skipif(os.name != "posix", reason="no process can be stopped there")
def test_a_death_is_noticed_by_who_asks_next_on_the_wall_clock(apps: Scenes) -> None:
    """Before the loop has seen that the link is closed."""

    async def scene(task: Task, clock: Clock) -> list[str]:
        async with task.serve() as client:
            pid = (await client.get("/pid")).json()
            os.kill(pid, signal.SIGSTOP)
            first = asyncio.ensure_future(client.get("/pid"))
            await asyncio.sleep(0.1)
            os.kill(pid, signal.SIGKILL)
            time.sleep(0.1)  # the loop sees nothing meanwhile
            async with asyncio.timeout(LIMIT):
                failed = await asyncio.gather(first, client.get("/pid"), return_exceptions=True)
            return [str(each) for each in failed]

    source = """
        import os

        from fastapi import FastAPI

        app = FastAPI()
        app.get("/pid")(os.getpid)
    """
    killed = "The application, asked for GET /pid, was ended by SIGKILL."
    assert apps.play(source, scene, clock="real") == [killed] * 2


FAULTS = {
    "answers what was not asked": Fault(
        app(
            "for number in (0, 7, -1):\n"
            "    say(kind='head', id=number, status=200, headers=[])\n"
            "    say(kind='body', id=number, data='!', more=False)\n"
            "raise KeyError",
            SPEAK_ON_LINK,
        ),
        "The status is wrong.",
        SERVE,
    ),
    "forges a status": Fault(
        app(
            "say(kind='head', id=1, status=10**50, headers=[['a\\n', '']])\n"
            "say(kind='body', id=1, data='', more=False)",
            SPEAK_ON_LINK,
        ),
        "The status is wrong.",
        SERVE,
    ),
    "forges headers": Fault(
        app(
            "say(kind='head', id=1, status=500, headers=[['only one'], ['\u2603', 'x'], []])\n"
            "say(kind='body', id=1, data='', more=False)",
            SPEAK_ON_LINK,
        ),
        "The status is wrong.",
        SERVE,
    ),
    "a huge answer": Fault(
        app(
            "await send({'type': 'http.response.start', 'status': 200, 'headers': []})\n"
            "await send({'type': 'http.response.body', 'body': b'x' * 2**25})"
        ),
        "",
        SERVE,
    ),
    "an answer without end": Fault(
        app(
            "await send({'type': 'http.response.start', 'status': 200, 'headers': []})\n"
            "more = {'type': 'http.response.body', 'body': b'x' * 2**16, 'more_body': True}\n"
            "while True: await send(more)"
        ),
        f"{ASKED}sent more than 64 MB, and was ended for it.",
        SERVE,
    ),
    "an answer of many small pieces": Fault(
        app(
            "await send({'type': 'http.response.start', 'status': 200, 'headers': []})\n"
            "more = {'type': 'http.response.body', 'body': b'x' * 200, 'more_body': True}\n"
            "for _ in range(10_000): await send(more)\n"
            "await send({'type': 'http.response.body', 'body': b''})\nreturn"
        ),
        "It came.",
        SERVE,
        'raise AssertionError("It came.")',
    ),
    "an answer that swells": Fault(
        app(
            "import gzip\n"
            "zipped = {'type': 'http.response.body', 'body': gzip.compress(bytes(2**27))}\n"
            "headers = [(b'content-encoding', b'gzip')]\n"
            "await send({'type': 'http.response.start', 'status': 200, 'headers': headers})\n"
            "await send(zipped)"
        ),
        "GET / is answered with more than 64 MB, compressed to 13",
        SERVE,
    ),
}


test_fault = each_fault(FAULTS)


def test_redirects_are_followed_where_that_is_asked_for(apps: Scenes) -> None:
    source = """
        from fastapi import FastAPI
        from fastapi.responses import RedirectResponse

        app = FastAPI()

        @app.get("/old")
        async def old():
            return RedirectResponse("/new")

        @app.get("/new")
        async def new():
            return "here"
    """

    async def scene(task: Task, clock: Clock) -> list[Any]:
        async with task.serve() as client:
            first = await client.get("/old")
            followed = await client.get("/old", follow_redirects=True)
        return [first.status_code, first.headers["location"], followed.json(), followed.url.path]

    assert apps.play(source, scene) == [307, "/new", "here", "/new"]
