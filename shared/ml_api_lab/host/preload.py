"""What the fork server does before it forks: imports, and one throwaway run of everything."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import runpy
import tempfile
import warnings
from pathlib import Path
from typing import Any

from ml_api_lab.host import uvicorn_logging
from ml_api_lab.host.asgi_server import Server
from ml_api_lab.protocol.messages import Message, Request, Stop


def import_unfreezable(modules: list[str]) -> None:
    """Import what must be imported before time is frozen.

    Pydantic's old interface, which FastAPI looks at, derives from `datetime.date` with a metaclass
    of its own, and freezegun's date has one as well.
    """
    if "fastapi" in modules:
        with contextlib.suppress(ImportError), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            importlib.import_module("pydantic.v1")


def preload(modules: list[str]) -> None:
    """Import the modules, and rehearse.

    What is alive at the end stays alive, so that neither this process nor a fork need look through
    it for garbage (nor copy its pages for that).
    """
    for name in modules:
        importlib.import_module(name)
    rehearse(modules)
    uvicorn_logging.prepare()
    gc.freeze()
    gc.enable()


def rehearse(modules: list[str]) -> None:
    """Run a script and, with FastAPI among the modules, serve two requests."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "script.py"
        script.write_text("import asyncio\nasyncio.run(asyncio.sleep(0))\n", encoding="utf-8")
        runpy.run_path(str(script), run_name="__main__")
    if "fastapi" in modules:
        asyncio.run(_serve_once())


async def _serve_once() -> None:
    import fastapi
    import pydantic

    class Item(pydantic.BaseModel):
        number: float = pydantic.Field(1.0, gt=0)

    app = fastapi.FastAPI()

    # Its machinery for tasks and threads is not imported before somebody needs it.
    @app.middleware("http")
    async def through(request: fastapi.Request, call_next: Any) -> Any:
        return await call_next(request)

    @app.post("/{name}")
    async def warm(name: str, item: Item) -> Item:
        return item

    def heard(message: Message) -> None:
        pass

    server = Server(app, "", heard)
    serving = asyncio.ensure_future(server.run())
    headers = [["content-type", "application/json"]]
    server.handle(Request(1, "POST", "/warm", headers, "e30="))
    server.handle(Request(2, "GET", "/openapi.json", headers, ""))
    server.handle(Stop())
    await serving
