"""What there is in main.py: asked after a failure, for what its sentence says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from checks.support.http import body_excerpt, expect_json, request_line, routing_hint
from checks.support.probe import reports_of
from ml_api_lab.check import Hinted

if TYPE_CHECKING:
    import httpx

    from ml_api_lab.check import Task

A_MODEL = "a model"
"""What stands for a model in `Application.filled`, whichever it is."""

_SCRIPT = Path(__file__).resolve().parent / "scripts" / "look_at_main.py"


@dataclass(frozen=True)
class Application:
    """The application of main.py, as its own process reports it.

    Attributes:
        paths: those that `app` has; `other_paths`: those of other applications in main.py.
        has_lifespan: whether `app` was given one; `start_events`: its functions of `on_event`.
        filled: the dictionaries that its start has filled, by their names: what each key holds.
        returned: what the endpoint of the path that was asked for has returned, as text.
    """

    paths: list[str]
    other_paths: list[str]
    has_lifespan: bool
    start_events: list[str]
    filled: dict[str, dict[str, str]]
    returned: str


async def look_at_application(
    task: Task, env: Mapping[str, str] | None = None, path: str = ""
) -> Application | None:
    """Return what there is in main.py; None if it cannot be imported.

    Args:
        path: of the endpoint that is called, without arguments.
    """
    reports = await reports_of(task, _SCRIPT, Application, env, PATH=path)
    return reports[-1] if reports else None


async def expect_as_before(
    task: Task, response: httpx.Response, content: object, env: Mapping[str, str] | None = None
) -> None:
    """Assert that an endpoint of an earlier task answers a 200 with exactly this JSON."""
    await expect_endpoint(task, response, env)
    expect_json(response, content)


async def expect_endpoint(
    task: Task, response: httpx.Response, env: Mapping[str, str] | None = None
) -> None:
    """Assert that `app` has an endpoint for the request; what it answers others ask."""
    hint = routing_hint(response)
    if not hint:
        return
    sentence = (
        f"{request_line(response)} answered {response.status_code}{body_excerpt(response)}; right "
        "is 200."
    )
    application = await look_at_application(task, env)
    path = response.request.url.path
    if application is None or path in application.paths:
        raise Hinted(sentence, hint)
    if path in application.other_paths:
        raise Hinted(
            f"{sentence} {path} belongs to another application that main.py makes, and not to "
            "the one that is `app` in the end.",
            "How often does main.py say `app = FastAPI(...)`? Only the last one counts.",
        )
    has = ", ".join(application.paths) or "none"
    raise Hinted(
        f"{sentence} The paths of `app` are {has}.",
        "Which path does the endpoint's decorator name, letter by letter? Is it there at all?",
    )
