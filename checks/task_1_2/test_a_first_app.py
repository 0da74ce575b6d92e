"""Checks of task 1.2."""

from checks.support.http import expect, expect_json
from ml_api_lab.check import Task, points


@points(4, hint="Which path does the endpoint have, and what exactly does it return?")
async def test_health_says_healthy(task: Task) -> None:
    """GET /health says that the application is healthy."""
    async with task.serve() as client:
        expect_json(await client.get("/health"), {"status": "healthy"})


@points(3, hint="Which path is the shortest of all, and what exactly does it return?")
async def test_root_greets(task: Task) -> None:
    """GET / greets the world."""
    async with task.serve() as client:
        expect_json(await client.get("/"), {"message": "Hello World"})


@points(3, hint="What does FastAPI answer when no endpoint has the path that was asked for?")
async def test_unknown_paths_are_not_found(task: Task) -> None:
    """The two paths are there, and a path that nobody has defined is not found."""
    number = task.draw.randint(1000, 9999)
    async with task.serve() as client:
        for path in ("/health", "/"):
            expect(await client.get(path), 200)
        for path in (
            f"/nothing-{number}",
            f"/healthy-{number}",
            f"/health/{number}",
            f"/a/b/{number}",
        ):
            expect(await client.get(path), 404, because="no endpoint has that path")
