"""The server of an application: it comes to rest, whatever its lifespan keeps."""

from __future__ import annotations

import os

import pytest

from ml_api_lab.check import Clock, Span, Task, seconds, took
from tests.support.toy import Scenes


@pytest.mark.skipif(not hasattr(os, "fork"), reason="workers are forked, models and all")
def test_an_application_with_a_pool_comes_to_rest(apps: Scenes) -> None:
    source = """
        import asyncio, multiprocessing
        from concurrent.futures import ProcessPoolExecutor
        from contextlib import asynccontextmanager
        from fastapi import FastAPI

        @asynccontextmanager
        async def lifespan(app):
            global pool
            with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("fork")) as pool:
                yield

        app = FastAPI(lifespan=lifespan)

        @app.get("/{number}")
        async def get(number: int):
            await asyncio.sleep(number)
            return await asyncio.get_running_loop().run_in_executor(pool, abs, -number)
    """

    async def scene(task: Task, clock: Clock) -> list[tuple[int, Span]]:
        async with task.serve() as client:
            answers = [await client.get(f"/{number}") for number in (0, 2, 0)]
            return [(answer.json(), took(answer)) for answer in answers]

    assert apps.play(source, scene) == [(0, seconds(0)), (2, seconds(2)), (0, seconds(0))]
