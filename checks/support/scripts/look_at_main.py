"""Import main.py, start its application, and print what there is, as one line of JSON.

This program runs in the workspace, with the submission: its line tells why a check has failed, and
never whether it has.
"""

import asyncio
import importlib
import inspect
import json
from typing import Any

import fastapi

MARK = ""
PATH = ""
GENERATED = ("/docs", "/docs/oauth2-redirect", "/openapi.json", "/redoc")
MOST_CHARACTERS = 40

made: list[fastapi.FastAPI] = []
found: dict[str, Any] = {
    "paths": [],
    "other_paths": [],
    "has_lifespan": False,
    "start_events": [],
    "filled": {},
    "returned": "",
}
make: Any = fastapi.FastAPI.__init__


def note(app: fastapi.FastAPI, *arguments: Any, **options: Any) -> None:
    make(app, *arguments, **options)
    made.append(app)


def paths_of(app: fastapi.FastAPI) -> list[str]:
    paths = [getattr(route, "path", "") for route in app.routes]
    return [path for path in dict.fromkeys(paths) if path and path not in GENERATED]


def dictionaries(main: Any) -> dict[str, dict[Any, Any]]:
    """Return what a program keeps its models in, most often."""
    known = {name: value for name, value in vars(main).items() if type(value) is dict}
    state = getattr(getattr(main.app, "state", None), "_state", {})
    return {name: dict(value) for name, value in known.items() if name[:2] != "__"} | {
        "app.state": dict(state)
    }


def short(value: object) -> str:
    if hasattr(value, "predict"):
        return "a model"
    text = repr(value)
    return text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]}..."


async def start(main: Any) -> None:
    """Start the application; find what has been filled by then, and ask the endpoint of PATH."""
    before = dictionaries(main)
    async with main.app.router.lifespan_context(main.app):
        for name, content in dictionaries(main).items():
            if content != before.get(name):
                found["filled"][name] = {str(key): short(each) for key, each in content.items()}
        for route in main.app.routes:
            if PATH and getattr(route, "path", "") == PATH:
                returned = route.endpoint()
                if inspect.isawaitable(returned):
                    returned = await returned
                found["returned"] = repr(returned)


def look() -> None:
    fastapi.FastAPI.__init__ = note  # type: ignore[method-assign, assignment]
    main = importlib.import_module("main")
    others = [path for app in made if app is not main.app for path in paths_of(app)]
    found["paths"], found["other_paths"] = paths_of(main.app), others
    found["has_lifespan"] = type(main.app.router.lifespan_context).__name__ != "_DefaultLifespan"
    found["start_events"] = [each.__name__ for each in getattr(main.app.router, "on_startup", [])]
    asyncio.run(start(main))


try:
    look()
finally:
    print(MARK + json.dumps(found), flush=True)
