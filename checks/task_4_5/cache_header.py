"""What an answer says of the cache, and the sentences where that is not right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from checks.support.http import body_excerpt, expect, request_line
from checks.support.predictions import MODELS, predict
from checks.task_4_5.told import HIT, MISS, Told, body_field
from ml_api_lab.check import Hinted

if TYPE_CHECKING:
    import httpx

MODEL, OTHER = MODELS
REPEATED = "it was answered just before"
STORED_HINT = (
    "Is each answer put into a cache? And is it the same cache, under the same key, in which the "
    "next request looks?"
)
EQUAL_HINT = (
    "What does your code do with a question that it is working on already, and what if the model "
    "fails?"
)


def expect_cache(
    response: httpx.Response,
    right: str,
    because: str,
    told: Told | None = None,
    *,
    hint: str = "",
) -> None:
    """Assert that the answer is a prediction, and what its X-Cache says.

    Args:
        told: how to read it; without it, its X-Cache has to be that very word.
        hint: in place of the check's own.
    """
    expect(response, 200)
    if (told.read(response) if told else response.headers.get("X-Cache")) == right:
        return
    if told and told.repeat and right == HIT and not told.tells_apart:
        # Where no repeat is told from the first answer, every check says so in the same words.
        response, because, hint = told.repeat, REPEATED, STORED_HINT
    sentence = _cache_sentence(response, right, because)
    hint = _header_hint(response, right) or hint
    raise Hinted(sentence, hint) if hint else AssertionError(sentence)


def _cache_sentence(response: httpx.Response, right: str, because: str) -> str:
    header = response.headers.get("X-Cache")
    in_body = None if header else body_field(response)
    told = f"X-Cache: {header}" if header else "no X-Cache"
    told += f" (but {in_body[0]!r}: {in_body[1]!r} in its body)" if in_body else ""
    capitals = ", in capitals" if header and header.upper() == right else ""
    return (
        f"{request_line(response)} with {response.request.content.decode()} answered with "
        f"{told}; right is {right}{capitals}, because {because}."
    )


def _header_hint(response: httpx.Response, right: str) -> str:
    """Return what to look at where the header itself is wrong, "" where it is not."""
    header = response.headers.get("X-Cache")
    if header is None and body_field(response):
        return "X-Cache is a header of the answer, and no part of its JSON. Who can set a header?"
    if header is None:
        return "Which of your answers get the header X-Cache, and which do not?"
    if header not in (HIT, MISS):
        return "Compare the word in X-Cache with the README, letter by letter."
    return ""


def expect_equal_answered(response: httpx.Response, right: str) -> None:
    """Assert that one of two equal requests, sent at once, was not refused.

    Args:
        right: the status that is right, for the sentence.
    """
    if 400 <= response.status_code < 500:
        raise Hinted(
            f"{request_line(response)}, one of two equal requests at once, answered "
            f"{response.status_code}{body_excerpt(response)} while the other was under way; right "
            f"is {right} for both.",
            "What does your code do with a question that it is working on already?",
        )


async def fill_cache(
    client: httpx.AsyncClient, *flowers: Sequence[float], told: Told | None = None
) -> None:
    """Ask for these predictions, one after the other; none was asked for before."""
    for flower in flowers:
        # One check says what a MISS is called; here it is only no HIT.
        answer = await predict(client, MODEL, flower)
        expect(answer, 200)
        expect_no_hit(answer, "it is asked for the first time", told)


def expect_no_hit(response: httpx.Response, because: str, told: Told | None = None) -> None:
    assert (told.read(response) if told else response.headers.get("X-Cache")) != HIT, (
        f"{request_line(response)} with {response.request.content.decode()} answered "
        f"{response.status_code} with X-Cache: HIT; right is no HIT, because {because}."
    )
