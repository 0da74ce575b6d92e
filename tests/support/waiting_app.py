"""An application whose endpoints wait in every way that there is, for scenes in lab time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ml_api_lab.sandbox.clock import Clock
from ml_api_lab.task import Task
from tests.support.toy import Scenes

WAITING_APP = """
import asyncio, time
from fastapi import BackgroundTasks, FastAPI

app = FastAPI()

@app.get("/sleep/{delay}")
async def wait(delay: float):
    await asyncio.sleep(delay)

@app.get("/block/{delay}")
async def block(delay: float):
    time.sleep(delay)

@app.get("/thread/{delay}")
def thread(delay: float):
    time.sleep(delay)

@app.get("/twice/{delay}")
def twice(delay: float):
    time.sleep(delay); print("half"); time.sleep(delay)

def log(delay):
    time.sleep(delay); print("logged")

@app.get("/background/{delay}")
async def background(delay: float, tasks: BackgroundTasks):
    tasks.add_task(log, delay)

@app.get("/now")
async def now():
    return time.strftime("%X")

@app.get("/forever")
async def forever():
    await asyncio.Event().wait()

@app.get("/beat")
async def beat():
    while True:
        await asyncio.sleep(1)
"""


def play_served(apps: Scenes, scene: Callable[[Any, Clock, Task], Any]) -> Any:
    async def play(task: Task, clock: Clock) -> Any:
        async with task.serve() as client:
            return await scene(client, clock, task)

    return apps.play(WAITING_APP, play)
