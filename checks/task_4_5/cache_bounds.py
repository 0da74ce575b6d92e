"""How many predictions a cache keeps, and which of them leaves for a new one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from checks.support.api_keys import key_header, new_key
from checks.support.http import expect
from checks.support.predictions import draw_features, predict
from checks.task_4_5.cache_header import MODEL, OTHER, expect_cache, fill_cache
from checks.task_4_5.told import HIT, MISS, Told
from ml_api_lab.check import Task


async def is_bounded_by_two(task: Task, told: Told) -> bool:
    """Whether CACHE_SIZE = 2 keeps the last two of three predictions, and no more."""
    key = new_key(task)
    flowers = [draw_features(task) for _ in range(3)]
    async with task.serve(env={"API_KEY": key, "CACHE_SIZE": "2"}) as client:
        client.headers.update(key_header(key))
        await fill_cache(client, *flowers, told=told)
        found = [told.read(await predict(client, MODEL, each)) for each in reversed(flowers)]
    return found == [HIT, HIT, MISS]


async def expect_size(
    task: Task, told: Told, key: str, size: int, flowers: Sequence[Sequence[float]]
) -> None:
    async with task.serve(env={"API_KEY": key, "CACHE_TTL": "600"}) as client:
        client.headers.update(key_header(key))
        await fill_cache(client, flowers[0], flowers[1], told=told)
        # Where nothing stays, or one alone, this tells it before a hundred predictions are made.
        answer = await predict(client, MODEL, flowers[0])
        fit = f"2 predictions were made, and {size} fit without CACHE_SIZE"
        expect_cache(answer, HIT, fit, told=told)
        await asyncio.gather(*(predict(client, MODEL, flower) for flower in flowers[2:size]))
        answer = await predict(client, MODEL, flowers[0])
        expect_cache(
            answer,
            HIT,
            f"{size} predictions were made, as many as fit without CACHE_SIZE",
            told=told,
        )
        await fill_cache(client, flowers[size], told=told)
        for flower in (flowers[2], flowers[size - 1]):
            answer = await predict(client, MODEL, flower)
            expect_cache(
                answer,
                HIT,
                f"one prediction more than {size} takes the place of the oldest alone",
                told=told,
            )
        # Now one has left: the first as the oldest, or the second as the least recently used.
        answers = await asyncio.gather(*(predict(client, MODEL, each) for each in flowers[:2]))
        cache_headers = [told.read(answer) for answer in answers]
        # One check says what a MISS is called.
        assert cache_headers != [HIT, HIT], (
            f"After {size + 1} predictions the first two are still in the cache; "
            f"right is that one has left, because without CACHE_SIZE {size} fit, and that it is "
            "the oldest."
        )


async def expect_age_to_decide(task: Task, key: str, told: Told) -> None:
    often, late, new = (draw_features(task) for _ in range(3))
    async with task.serve(env={"API_KEY": key, "CACHE_SIZE": "2"}) as client:
        client.headers.update(key_header(key))
        await fill_cache(client, often, late, told=told)
        for flower in (often, often, late):
            expect_cache(
                await predict(client, MODEL, flower),
                HIT,
                "CACHE_SIZE is 2, and two are in",
                told=told,
            )
        await fill_cache(client, new, told=told)
        answer = await predict(client, MODEL, late)
        expect_cache(
            answer, HIT, "it was made and used after the other, which leaves first", told=told
        )
        twice = await asyncio.gather(*(predict(client, MODEL, often) for _ in range(2)))
        for answer in twice:
            expect(answer, 200)
        both = all(told.read(answer) != HIT for answer in twice)
        # One of the two has left for it: whichever was stored, or used, before the other.
        answers = await asyncio.gather(*(predict(client, MODEL, each) for each in (late, new)))
        cache_headers = [told.read(answer) for answer in answers]
        once = "asked for twice at once" if both else "asked for twice, one behind the other"
        assert HIT in cache_headers, (
            f"CACHE_SIZE is 2, and two predictions were in; then another was {once}, and now both "
            "of the two are a MISS; right is that it takes one place, so that one of them is still "
            "a HIT, looked up before anything new is put in."
        )


async def expect_one_bound(task: Task, key: str, told: Told) -> None:
    flower = draw_features(task)
    async with task.serve(env={"API_KEY": key, "CACHE_SIZE": "1"}) as client:
        client.headers.update(key_header(key))
        await fill_cache(client, flower, told=told)
        answer = await predict(client, OTHER, draw_features(task))
        expect_cache(answer, MISS, "the other model is asked", told=told)
        answer = await predict(client, MODEL, flower)
        because = "CACHE_SIZE is 1, whichever model is asked, and another was asked since"
        expect_cache(
            answer, MISS, because, told=told, hint="How many entries fit in all, with two models?"
        )
