"""By what an application knows a question again, and what is wrong with a repeat."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.support.predictions import FEATURES, predict
from checks.support.tracing import ID_HEADER
from checks.task_4_5.cache_header import MODEL, OTHER, expect_cache
from checks.task_4_5.told import HIT, Told
from ml_api_lab.check import Hinted, Task, seconds, took

if TYPE_CHECKING:
    import httpx

DEFAULTS = dict(zip(FEATURES, (5.1, 3.5, 1.4, 0.2), strict=True))
KNOWN_HINT = (
    "By what does your cache know a question again: by what was sent, or by the model and the four "
    "features?"
)


def mostly_defaults(task: Task) -> tuple[str, int, list[float]]:
    """Return a feature, a number, and the flower that both make with the defaults.

    It is none of class 0, which some caches take for nothing. One number in three is of that class,
    so that a feature with all nine of its numbers is, once in 20,000 draws.
    """
    for name in ("sepal_width", "sepal_length", "petal_length"):
        for number in range(1, 10):
            flower = list({**DEFAULTS, name: float(number)}.values())
            if task.models.answer(MODEL, flower):
                return name, number, flower
    raise AssertionError("All flowers with three defaults are of class 0.")


def late_repeat(first: httpx.Response, again: httpx.Response, *, has_asked: bool) -> Hinted:
    """Return the error of a HIT that takes time: does it ask the model, or only wait?"""
    right = "right is no time, for nothing is computed"
    if has_asked:
        return Hinted(
            f"The repeat took {took(again)}, and the model was asked again; {right}.",
            "Does your endpoint return what it has found in the cache, and does it do so before it "
            "waits and asks the model?",
        )
    before = f" The answer before it took {took(first)}." if took(first) > seconds(3) else ""
    return Hinted(
        f"The repeat took {took(again)}, though the model was not asked again; {right}.{before}",
        "Where does your endpoint wait: before it looks into the cache, or when nothing is there?",
    )


async def tell_header_in_key(client: httpx.AsyncClient, model: str, flower: list[float]) -> None:
    """Raise that a question is not known again because of a header, if one alone is the reason."""
    for header in ("User-Agent", ID_HEADER):
        answer = await predict(client, model, flower, {header: "a third"})
        hint = f"What has {header} to do with the answer? By what does your cache know a question?"
        because = f"model and features are the same, and {header} alone is another"
        expect_cache(answer, HIT, because, hint=hint)


async def why_unknown(client: httpx.AsyncClient, whole: dict[str, object], how: str) -> str:
    """Return what is the same in a body that is not known again: a number, or one left out."""
    if (await predict(client, MODEL, whole)).headers.get("X-Cache") != HIT:
        return how
    return "what is left out has its default. With petal_width 0.2 sent as well it is a HIT"


async def key_hint(
    client: httpx.AsyncClient,
    told: Told,
    flower: list[float],
    question: tuple[str, list[float], str],
) -> str:
    """Return what to ask about a key by which a question is taken for that of the flower."""
    model, features, _ = question
    if model == OTHER:
        return "What does an answer depend on, besides the features?"
    if features == flower[::-1]:
        return "Does your key still tell which number belongs to which feature?"
    # The same feature, but another by far.
    far = [
        number if number == other else number + 2
        for number, other in zip(flower, features, strict=True)
    ]
    if told.read(await predict(client, MODEL, far)) == HIT:
        return "Which of the four features are in your key?"
    return "Which numbers does your key take for the same?"


def different_questions(flower: list[float]) -> list[tuple[str, list[float], str]]:
    """Return questions that differ from that of the first model about the flower, and how."""
    questions = [(OTHER, flower, "the other model is asked")]
    for place, number in enumerate(flower):
        other = round(number + 0.0000001, 7)
        changed = [*flower[:place], other, *flower[place + 1 :]]
        questions.append((MODEL, changed, f"{FEATURES[place]} is {other} and was {number}"))
    # Drawn features are four different numbers.
    return [*questions, (MODEL, flower[::-1], "the features come in another order")]
