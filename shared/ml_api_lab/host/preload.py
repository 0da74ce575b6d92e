"""What the fork server does before it forks: imports, and one throwaway run of everything."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import runpy
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ml_api_lab.host import uvicorn_logging
from ml_api_lab.host.asgi_server import Server
from ml_api_lab.protocol.messages import Message, Request, Stop

_APPLICATION = Path(__file__).with_name("rehearsal.py")
_JSON = ["content-type", "application/json"]
_KEY = ["x-api-key", "key"]
_EMPTY_OBJECT, _EMPTY_LIST = "e30=", "W10="  # as base64
_REQUESTS: tuple[tuple[str, str, list[list[str]], str], ...] = (
    ("GET", "/", [], ""),
    ("GET", "/names", [], ""),
    ("GET", "/unknown", [], ""),
    ("POST", "/answer/one", [_JSON, _KEY], _EMPTY_OBJECT),
    ("POST", "/answer/two", [_JSON, _KEY], _EMPTY_OBJECT),
    ("POST", "/answer/one", [_JSON, _KEY], _EMPTY_LIST),
    ("POST", "/answer/one", [_JSON], _EMPTY_OBJECT),
    ("GET", "/openapi.json", [], ""),
)


def _ignore(message: Message) -> None:
    pass


def import_unfreezable(modules: list[str]) -> None:
    """Import what must be imported before time is frozen.

    Pydantic's old interface, which FastAPI looks at, derives from `datetime.date` with a metaclass
    of its own, and freezegun's date has one as well.
    """
    if "fastapi" in modules:
        with contextlib.suppress(ImportError), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            importlib.import_module("pydantic.v1")


def preload(modules: list[str], *, for_sockets: bool = False) -> None:
    """Import the modules, and rehearse.

    What is alive at the end stays alive, so that neither this process nor a fork need look through
    it for garbage (nor copy its pages for that).

    Args:
        for_sockets: whether a fork will be a server of its own, as a command starts it.
    """
    for name in modules:
        importlib.import_module(name)
    rehearse(modules)
    uvicorn_logging.prepare()
    if for_sockets and "uvicorn" in modules:
        _load_protocols()
    gc.freeze()
    gc.enable()


def rehearse(modules: list[str], heard: Callable[[Message], None] = _ignore) -> None:
    """Run a script and, with FastAPI among the modules, serve an application once.

    Args:
        heard: is told what the application answers.
    """
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "script.py"
        script.write_text("import asyncio\nasyncio.run(asyncio.sleep(0))\n", encoding="utf-8")
        runpy.run_path(str(script), run_name="__main__")
    if "fastapi" in modules:
        app = runpy.run_path(str(_APPLICATION))["app"]
        asyncio.run(_serve_once(app, heard))


def _load_protocols() -> None:
    """Have uvicorn import what it imports when it begins to serve."""
    import uvicorn

    async def nothing(*_: object) -> None:
        pass

    uvicorn.Config(nothing, log_config=None).load()


async def _serve_once(app: Any, heard: Callable[[Message], None]) -> None:
    server = Server(app, "", heard)
    serving = asyncio.ensure_future(server.run())
    for number, (method, path, headers, body) in enumerate(_REQUESTS, 1):
        server.handle(Request(number, method, path, headers, body))
    server.handle(Stop())
    await serving
