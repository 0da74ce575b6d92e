"""Asking an application about its cache, by the words in which it tells a HIT from a MISS."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from checks.support.api_keys import key_header, new_key
from checks.support.http import expect
from checks.support.predictions import MODELS, draw_features, predict
from checks.task_4_5.cache_header import REPEATED, expect_cache
from checks.task_4_5.told import HIT, MISS, Told, word
from ml_api_lab.check import seconds, took

if TYPE_CHECKING:
    from ml_api_lab.check import Clock, Task

Question = Callable[["Task", "Clock", Told], Awaitable[None]]
"""What a check asks, with the words by which it reads the answers."""


async def in_its_words(question: Question, task: Task, clock: Clock) -> None:
    """Ask that question; by the words HIT and MISS first, and if that fails by the application's.

    To find those out takes one more start of the application, which most need not have.
    """
    try:
        await question(task, clock, Told())
    except AssertionError:
        told = await ask_twice(task)
        if told.repeat is not None and word(told.repeat) is None and not told.tells_apart:
            # Where nothing is said of a cache, every check fails, and for that reason.
            expect_cache(told.repeat, HIT, REPEATED, told=told)
        await question(task, clock, told)


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
    words = word(first), word(again)
    if words[0] == words[1]:
        return Told(again, is_quick)
    return Told(again, is_quick, {words[0]: MISS, words[1]: HIT})
