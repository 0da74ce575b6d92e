"""uvicorn's loggers in a host: those of a server print, and others find them untouched."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ml_api_lab.sandbox.clock import Clock
from ml_api_lab.task import Task
from tests.support.toy import Scenes

STATE = """
import json, logging
def state():
    names = ("uvicorn", "uvicorn.error", "uvicorn.access")
    loggers = [logging.getLogger(name) for name in names]
    return [
        [each.level, each.propagate, [type(one).__name__ for one in each.handlers]]
        for each in loggers
    ]
"""
AS_IMPORTED = [[0, True, []]] * 3
AS_SERVED = [[20, False, ["StreamHandler"]], [20, True, []], [20, False, ["StreamHandler"]]]


@pytest.fixture(scope="module")
def apps(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenes]:
    """Scenes with uvicorn loaded, as the tasks have it."""
    folder: Path = tmp_path_factory.mktemp("apps")
    scenes = Scenes(folder, "fastapi", "uvicorn")
    yield scenes
    scenes.close()


def test_a_server_finds_them_as_uvicorn_sets_them_up(apps: Scenes) -> None:
    async def scene(task: Task, clock: Clock) -> list[str]:
        async with task.serve() as client:
            await client.get("/")
        return [line.text for line in task.transcript.lines]

    source = f"""
{STATE}
from fastapi import FastAPI
print(json.dumps(state()))
app = FastAPI()
@app.get("/")
async def root():
    logging.getLogger("uvicorn.error").warning("careful")
    logging.getLogger("uvicorn.error").debug("not shown")
"""
    first, *others = apps.play(source, scene)
    assert json.loads(first) == AS_SERVED
    assert [line for line in others if "careful" in line] == ["WARNING:  careful"]
    assert not any("not shown" in line for line in others)


def test_a_script_finds_them_untouched(apps: Scenes) -> None:
    run = apps.script(f"{STATE}\nimport uvicorn\nprint(json.dumps(state()))\n")
    assert json.loads(run.lines[0].text) == AS_IMPORTED
