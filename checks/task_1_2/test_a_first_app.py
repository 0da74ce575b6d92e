"""Checks of task 1.2."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.support.http import (
    body_excerpt,
    declared_endpoints,
    expect,
    expect_content,
    expect_known_path,
    redirect_target,
    request_line,
    shown_endpoints,
)
from ml_api_lab.check import Hinted, Task, points

if TYPE_CHECKING:
    import httpx


@points(2, hint="Which path does the endpoint have, and with which method is it asked?")
async def test_health_is_served(task: Task) -> None:
    """GET /health answers 200."""
    async with task.serve() as client:
        await _expect_served(client, await client.get("/health"))


@points(2, hint="What exactly does the endpoint return?")
async def test_health_says_healthy(task: Task) -> None:
    """GET /health says that the application is healthy."""
    async with task.serve() as client:
        await _expect_said(client, "/health", {"status": "healthy"})


@points(2, hint="Which path is the shortest of all, and with which method is it asked?")
async def test_root_is_served(task: Task) -> None:
    """GET / answers 200."""
    async with task.serve() as client:
        await _expect_served(client, await client.get("/"))


@points(2, hint="What exactly does the endpoint return?")
async def test_root_greets(task: Task) -> None:
    """GET / greets the world."""
    async with task.serve() as client:
        await _expect_said(client, "/", {"message": "Hello World"})


@points(2, hint="What does FastAPI answer when no endpoint has the path that was asked for?")
async def test_unknown_paths_are_not_found(task: Task) -> None:
    """A path that nobody has defined is not found."""
    number = task.draw.randint(1000, 9999)
    async with task.serve() as client:
        # That others are not found counts only if something is; one of the two will do here.
        if (await client.get("/")).status_code >= 400:
            expect(await client.get("/health"), 200)
        for path in (
            f"/nothing-{number}",
            f"/healthy-{number}",
            f"/health/{number}",
            f"/a/b/{number}",
        ):
            answer = await client.get(path)
            if answer.status_code != 404:
                raise await _found_by_mistake(client, answer)


async def _found_by_mistake(client: httpx.AsyncClient, answer: httpx.Response) -> Hinted:
    """Return the error of an answer to a path that nobody has defined: who may have given it."""
    endpoints = await declared_endpoints(client)
    sentence = (
        f"{request_line(answer)} answered {answer.status_code}{redirect_target(answer)}"
        f"{body_excerpt(answer)}; right is 404, because nobody has defined it."
    )
    if endpoints:
        sentence = f"{sentence} The endpoints are {shown_endpoints(endpoints)}."
    if any("{" in endpoint for endpoint in endpoints):
        return Hinted(sentence, "Which of these endpoints has a path that every name matches?")
    return Hinted(
        sentence,
        "None of your endpoints has that path. What else of yours answers: a handler of "
        "exceptions, a middleware?",
    )


async def _expect_served(client: httpx.AsyncClient, answer: httpx.Response) -> None:
    """Assert that the answer is a 200; where the path is unknown, say which ones are known."""
    await expect_known_path(client, answer)
    expect(answer, 200)


async def _expect_said(client: httpx.AsyncClient, path: str, content: object) -> None:
    """Assert that it says this; its method, status and last slash are another check's question."""
    answer = await client.get(path, follow_redirects=True)
    if answer.status_code == 405:
        answer = await client.post(path)
    if not answer.is_success:
        await _expect_served(client, answer)
    expect_content(answer, content)
