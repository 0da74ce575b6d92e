"""The headers in which an answer tells how long it took and which request it belongs to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from checks.support.http import body_excerpt, request_line
from ml_api_lab.check import Hinted, Span, seconds

if TYPE_CHECKING:
    import httpx

TIME_HEADER = "X-Process-Time"
ID_HEADER = "X-Request-ID"
_MAX_NUMBER_CHARACTERS = 40
_SECONDS = re.compile(r"\d+(\.\d*)?(e-?\d{1,2})?|\.\d+", re.IGNORECASE)


def header_value(response: httpx.Response, name: str, *, exact: bool = True) -> str:
    """Return a header of the answer; assert that it is there, once and not empty.

    Args:
        exact: whether hyphens count in its name. Where another check asks for that, they do not.
    """
    if response.status_code >= 500:
        raise Hinted(
            f"{request_line(response)} answered {response.status_code}{body_excerpt(response)}; "
            f"right is an answer with {name}, and no error."
        )
    values = response.headers.get_list(name)
    if not values:
        similar = similar_header(response, name)
        if similar and not exact:
            return header_value(response, similar)
        raise Hinted(
            f"{request_line(response)} answered {response.status_code} without {name}"
            f"{f', but with {similar}' if similar else ''}; right is this header on every "
            "answer.",
            "Compare the header's name with that in the task, letter by letter."
            if similar
            else "Does every answer pass through your middleware, does the application know of it, "
            "and under which name does it set the header, letter by letter?",
        )
    assert len(values) == 1 and values[0].strip(), (
        f"{request_line(response)} answered with {name}: {', '.join(values)!r}; right is one value."
    )
    return values[0].strip()


def similar_header(response: httpx.Response, name: str) -> str | None:
    """Return the header of the answer that has that name, but for its hyphens; None if none has."""
    same = (each for each in response.headers if _letters(each) == _letters(name))
    return next(same, None)


def process_time(response: httpx.Response) -> Span:
    """Return the time that the answer claims to have taken; assert that it is a number."""
    subject = f"{request_line(response)} answered with {TIME_HEADER}"
    return parse_seconds(header_value(response, TIME_HEADER), subject)


def parse_seconds(text: str, subject: str) -> Span:
    """Return a number of seconds as a span; assert that it is a decimal number.

    Args:
        subject: where it was found, as the beginning of a sentence.
    """
    number = text.removesuffix("s").strip()
    assert len(number) <= _MAX_NUMBER_CHARACTERS and _SECONDS.fullmatch(number), (
        f"{subject} {text!r}; right are seconds as a decimal number, such as 2.003."
    )
    return seconds(float(number))


def _letters(name: str) -> str:
    return re.sub("[^a-z]", "", name.lower())
