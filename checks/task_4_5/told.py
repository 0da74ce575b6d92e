"""How an application tells a HIT from a MISS, for checks that ask about something else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from checks.support.api_keys import key_header, new_key
from checks.support.http import expect
from checks.support.predictions import MODELS, draw_features, predict
from ml_api_lab.check import seconds, took

if TYPE_CHECKING:
    import httpx

    from ml_api_lab.check import Clock, Task

HIT, MISS = "HIT", "MISS"


@dataclass(frozen=True)
class Told:
    """What an application tells of one prediction and of its repeat.

    The check about a repeat asks the same, and asks for the right words in the header; the others
    read HIT and MISS by whatever words tell the two apart here.

    Attributes:
        repeat: the answer to the repeat, if it was asked for.
        is_quick: whether the repeat took no time and asked no model.
    """

    repeat: httpx.Response | None = None
    is_quick: bool = True
    words: dict[str | None, str] = field(default_factory=dict)

    @property
    def tells_apart(self) -> bool:
        """Whether the repeat was told from the prediction itself."""
        return HIT in self.words.values()

    def read(self, response: httpx.Response) -> str | None:
        """Return HIT or MISS, or whatever else the answer tells."""
        word = _word(response)
        return self.words.get(word, word)


def body_field(response: httpx.Response) -> tuple[str, object] | None:
    """Return a key of the body with "cache" in its name, and its value; None if it has none."""
    try:
        content = response.json()
    except ValueError:
        return None
    if not isinstance(content, dict):
        return None
    return next((each for each in content.items() if "cache" in each[0].lower()), None)


def _word(response: httpx.Response) -> str | None:
    """Return what the header says, or else what the body does."""
    word: str | None = response.headers.get("X-Cache")
    if word:
        return word
    found = body_field(response)
    return str(found[1]) if found else None


Question = Callable[["Task", "Clock", Told], Awaitable[None]]
"""What a check asks, with the words by which it reads the answers."""


async def in_its_words(question: Question, task: Task, clock: Clock) -> None:
    """Ask that question; by the words HIT and MISS first, and if that fails by the application's.

    To find those out takes one more start of the application, which most need not have.
    """
    try:
        await question(task, clock, Told())
    except AssertionError:
        await question(task, clock, await ask_twice(task))


async def ask_twice(task: Task) -> Told:
    """Serve the application for one prediction and its repeat, and return what it tells."""
    key = new_key(task)
    flower = draw_features(task)
    async with task.serve(env={"API_KEY": key}) as client:
        first = await predict(client, MODELS[0], flower, key_header(key))
        expect(first, 200)
        before = len(task.models.calls)
        again = await predict(client, MODELS[0], flower, key_header(key))
        expect(again, 200)
        is_quick = took(again) == seconds(0) and len(task.models.calls) == before
    words = _word(first), _word(again)
    if words[0] == words[1]:
        return Told(again, is_quick)
    return Told(again, is_quick, {words[0]: MISS, words[1]: HIT})
