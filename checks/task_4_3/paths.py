"""Paths and headers that let a request in without the key, and what they tell of the code."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING

from checks.support.api_keys import NO_KEY, expect_not_served
from checks.support.http import body_excerpt, request_line
from checks.support.source import source_constants
from checks.support.wording import joined
from ml_api_lab.check import Hinted, Task

if TYPE_CHECKING:
    import httpx

DOCS_PATHS = ("/docs", "/redoc", "/openapi.json")
OPEN_PATHS = ("/", "/health", *DOCS_PATHS)
# A refusal that is raised in a middleware becomes a 500; one check says so, the others let it pass.
DENIED_STATUSES = (401, 403, 500)
LOOKALIKES = (
    "/healthXYZ",
    "/docs-private",
    "/redoc/secret",
    "/openapi.json.bak",
    "/openapiXjson",
    "/health;models",
    "/health%20",
    "/health%00",
    "//models",
    "/docs/../models",
    "/health/../models",
    "/docs/..//models",
    "/models?path=/health",
    "/models?/docs",
    "/%6dodels",
    "/docs%2f..%2fmodels",
    "/health/",
    "/Health",
    "/models/",
    "/predict/health",
    "/docs/oauth2-redirect",
    "/h",
    "/doc",
    "/openapi",
    "//health",
    "/nothing/../health",
    "/%2568ealth",
)

_RELATED = (
    "/healthXYZ",
    "/nothing/health",
    "/nothing/health/nothing",
    "/health/",
    "/docs/",
    "/nothing/",
    "//health",
    "//nothing",
)
"""Each is let in by another way to compare a path with the listed ones."""


def paths_in_source(task: Task) -> list[str]:
    """Return what the code has for a path, and may have on its list, without the listed ones."""
    paths = {each for each in source_constants(task) if re.fullmatch(r"/[\w./-]+", each)}
    return sorted(paths - {*OPEN_PATHS})


def is_lookalike(path: str) -> bool:
    return path.startswith(OPEN_PATHS[1:])


def same_origin_headers(client: httpx.AsyncClient) -> dict[str, str]:
    """Return what a browser sends with what somebody tries out on the docs' page, and more."""
    return {
        "Referer": str(client.base_url.join("/docs")),
        "Origin": str(client.base_url),
        "Sec-Fetch-Site": "same-origin",
        "X-Forwarded-For": "127.0.0.1",
        "X-Real-IP": "127.0.0.1",
    }


async def expect_refused(
    client: httpx.AsyncClient, answer: httpx.Response, headers: dict[str, str], because: str
) -> None:
    """Assert that a request was not served; of several headers, name the one that lets it in."""
    if answer.status_code >= 400 or len(headers) < 2:
        expect_not_served(answer, because)
        return
    sent = answer.request
    for name, value in headers.items():
        alone = await client.request(
            sent.method,
            sent.url,
            content=sent.content,
            headers={"Content-Type": "application/json", name: value},
        )
        expect_not_served(
            alone,
            f"{NO_KEY}, and {name}: {value} is no key",
            f"Why does your code believe {name}? Whoever calls can send any header, with any value "
            "in it.",
        )
    for names in combinations(headers, 2):
        pair = {name: headers[name] for name in names}
        both = await client.request(
            sent.method,
            sent.url,
            content=sent.content,
            headers={"Content-Type": "application/json", **pair},
        )
        shown = joined([f"{name}: {value}" for name, value in pair.items()])
        expect_not_served(
            both,
            f"{NO_KEY}, and {shown} together are no key",
            f"Why does your code believe {joined([*names])}? Whoever calls can send any header, "
            "with any value in it.",
        )
    expect_not_served(
        answer,
        because,
        "Which headers does your code believe here? Whoever calls can send any of them.",
    )


def expect_denied_status(answer: httpx.Response, because: str, hint: str = "") -> None:
    if answer.status_code in DENIED_STATUSES:
        return
    sentence = _not_denied(answer, because)
    raise Hinted(sentence, hint) if hint else AssertionError(sentence)


async def expect_lookalike_denied(client: httpx.AsyncClient, answer: httpx.Response) -> None:
    """Assert that a path was refused that only looks like a listed one."""
    await _expect_path_denied(
        client,
        answer,
        f"{NO_KEY}, and it is none of the listed paths",
        _RELATED,
        alone="What becomes of a path before you compare it? Or is this one on a list of yours?",
        alike="How does your code compare a path with the listed ones: as a whole and unchanged?",
    )


async def expect_unknown_denied(
    client: httpx.AsyncClient, answer: httpx.Response, unknown: Sequence[str]
) -> None:
    """Assert that a path that does not exist was refused.

    Args:
        unknown: other such paths.
    """
    await _expect_path_denied(
        client,
        answer,
        f"{NO_KEY}, and only the listed paths are open",
        unknown,
        alone="Is this path on your list, or is there a rule of its own for it?",
        alike="Which rule lets these paths in? What do they have in common?",
    )


async def _expect_path_denied(
    client: httpx.AsyncClient,
    answer: httpx.Response,
    because: str,
    others: Sequence[str],
    *,
    alone: str,
    alike: str,
) -> None:
    """Assert that a path was refused; tell which others are not.

    Args:
        alone: the hint if none of the others is let in; without any that is refused, it is the
            check's.
        alike: the hint if some are let in as well.
    """
    if answer.status_code in DENIED_STATUSES:
        return
    sentence = _not_denied(answer, because)
    asked = request_line(answer).removeprefix("GET ")
    let_in: list[str] = []
    shut: list[str] = []
    for path in others:
        if path != asked:
            (shut if await _is_denied(client, path) else let_in).append(path)
    await _is_denied(client, asked)  # so that the log ends with what the sentence tells of
    if not shut:
        raise AssertionError(sentence)
    seen = f"Let in as well: {', '.join(let_in)}; not" if let_in else "Not let in"
    raise Hinted(f"{sentence} {seen}: {', '.join(shut)}.", alike if let_in else alone)


async def _is_denied(client: httpx.AsyncClient, path: str) -> bool:
    answer = await client.get("/", extensions={"target": path.encode("latin-1")})
    return answer.status_code in DENIED_STATUSES


def _not_denied(answer: httpx.Response, because: str) -> str:
    return (
        f"{request_line(answer)} answered {answer.status_code}{body_excerpt(answer)}; "
        f"right is 401 or 403, because {because}."
    )
