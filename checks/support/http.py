"""Judging HTTP answers: what every check of an application asks of them, in the same words."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING, Any

from ml_api_lab.check import Hinted, Span, milliseconds

if TYPE_CHECKING:
    import httpx

_EXCERPT_CHARACTERS = 200
_SPAN_TOLERANCE = milliseconds(1)


def request_line(response: httpx.Response) -> str:
    """Return the request as a student writes it: GET /health."""
    target = response.request.extensions.get("target", response.request.url.raw_path)
    return f"{response.request.method} {target.decode('latin-1')}"


def expect(
    response: httpx.Response, *statuses: int, because: str = "", is_tested: bool = False
) -> None:
    """Assert that the answer has one of the statuses.

    Args:
        because: what makes them right, as the rest of a sentence: "the key is wrong".
        is_tested: whether the check's own question is why there may be a 500 in place of a 200.
    """
    if response.status_code in statuses:
        return
    right = " or ".join(str(status) for status in statuses)
    why = f", because {because}" if because else ""
    sentence = (
        f"{request_line(response)} answered "
        f"{response.status_code}{redirect_target(response)}{body_excerpt(response)}; right is "
        f"{right}{why}."
    )
    if hint := routing_hint(response):
        raise Hinted(sentence, hint)
    if 200 in statuses and response.is_success:
        raise Hinted(sentence, "Which line of yours names that status, and which is the usual one?")
    if 200 in statuses and response.status_code >= 500 and not is_tested:
        raise Hinted(sentence)
    raise AssertionError(sentence)


async def declared_endpoints(client: httpx.AsyncClient) -> list[str]:
    """Return the endpoints that /openapi.json shows, as in "GET /health"; none if it shows none."""
    try:
        paths = (await client.get("/openapi.json")).json()["paths"]
        return [f"{method.upper()} {path}" for path, methods in paths.items() for method in methods]
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError):
        return []


async def expect_known_path(client: httpx.AsyncClient, response: httpx.Response) -> None:
    """Assert that FastAPI knew the path of a request; say which ones it knows instead."""
    if not is_fastapis_not_found(response):
        return
    if endpoints := await declared_endpoints(client):
        raise Hinted(
            f"{request_line(response)} answered 404, and the endpoints of the application are "
            f"{shown_endpoints(endpoints)}; right is that {request_line(response)} is one of them.",
            "Does a decorator of this application stand above that function, and is its path right "
            "letter by letter?",
        )


def shown_endpoints(endpoints: list[str]) -> str:
    """Return the endpoints for a sentence, the first ones of many."""
    return textwrap.shorten(", ".join(endpoints), _EXCERPT_CHARACTERS, placeholder=" ...")


def is_fastapis_not_found(response: httpx.Response) -> bool:
    """Whether this is what FastAPI itself answers where no endpoint has the path."""
    return response.status_code == 404 and response.text == '{"detail":"Not Found"}'


def routing_hint(response: httpx.Response) -> str:
    """Return what to look at where no endpoint has got the request as it is, "" if one has."""
    status, text = response.status_code, response.text
    if status == 405 or is_fastapis_not_found(response):
        return "Which method and which path does your decorator name, letter by letter?"
    if status == 422 and '"loc":["query",' in text:
        return (
            "FastAPI looks in the query for what loc names. Is it there that the request has it? "
            "Or is it something that FastAPI gives you, if you say of which type it is?"
        )
    return ""


def redirect_target(response: httpx.Response) -> str:
    """Return where a redirect leads, for a sentence."""
    return f" (to {response.headers['location']})" if response.has_redirect_location else ""


def is_close(one: Span, other: Span) -> bool:
    """Return whether two lengths of time agree to a millisecond (on a wall clock: roughly).

    Waits of a third of a second each come to a few nanoseconds more or less than a whole one.
    """
    return one - _SPAN_TOLERANCE <= other and one + _SPAN_TOLERANCE >= other


def json_body(response: httpx.Response) -> Any:
    """Return the answer's JSON; assert that it is JSON."""
    try:
        return response.json()
    except (ValueError, RecursionError):
        raise AssertionError(
            f"{request_line(response)} answered {response.text[:_EXCERPT_CHARACTERS]!r}; right is "
            "JSON."
        ) from None


def expect_json(response: httpx.Response, content: object) -> None:
    """Assert that the answer is a 200 with exactly this JSON."""
    expect(response, 200)
    expect_content(response, content)


def expect_content(response: httpx.Response, content: object) -> None:
    """Assert that the answer's JSON is exactly this, whatever its status."""
    seen = json_body(response)
    if isinstance(seen, str) and not isinstance(content, str):
        raise AssertionError(
            f"{request_line(response)} answered the text {seen!r}; right is the JSON object "
            f"{content}."
        )
    assert seen == content, f"{request_line(response)} answered {seen}; right is {content}."


def json_field(response: httpx.Response, name: str) -> Any:
    """Return a field of the answer's JSON object; assert that it is there."""
    content = json_body(response)
    assert isinstance(content, dict) and name in content, (
        f"{request_line(response)} answered {content}; a JSON object with the key {name!r} is "
        "right."
    )
    return content[name]


def names_field(response: httpx.Response, name: str) -> bool:
    """Whether an error's answer names that field, in its `loc`, its message or a key, in any case.

    What echoes the request does not count: FastAPI's `input`, and its body as it was sent.
    """
    return name.lower() in _text_without_echo(json_body(response), _request_json(response)).lower()


def _text_without_echo(content: Any, sent: object) -> str:
    if isinstance(content, dict):
        if content == sent:
            return ""
        return " ".join(
            f"{key} {_text_without_echo(value, sent)}"
            for key, value in content.items()
            if key not in ("input", "ctx")
        )
    if isinstance(content, list):
        return " ".join(_text_without_echo(each, sent) for each in content)
    text = str(content)
    for echo in (str(sent), json.dumps(sent), json.dumps(sent, separators=(",", ":"))):
        text = text.replace(echo, "")
    return text


def _request_json(response: httpx.Response) -> object:
    try:
        return json.loads(response.request.content)
    except ValueError:
        return None


def body_excerpt(response: httpx.Response) -> str:
    """Return the answer's body for a sentence, cut to a readable length."""
    text = response.text
    if not text:
        return ""
    if text.lstrip().startswith("<"):
        return " (a page of HTML)"
    return f" {text if len(text) <= _EXCERPT_CHARACTERS else text[:_EXCERPT_CHARACTERS] + '...'}"
