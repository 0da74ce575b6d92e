"""How many predictions a cache keeps, and which of them leaves for a new one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from checks.support.api_keys import key_header, new_key
from checks.support.hints import hinted
from checks.support.http import expect
from checks.support.predictions import draw_features, predict
from checks.task_4_5.cache_header import (
    MODEL,
    OTHER,
    expect_cache,
    expect_equal_answered,
    fill_cache,
)
from checks.task_4_5.told import HIT, MISS, Told
from ml_api_lab.check import Hinted, Task, seconds, took

_SIZE_HINT = "What is the cache's size when the environment names none?"
_LEAVING_HINT = "How many entries leave when one too many comes?"
_HINTS: dict[tuple[str, ...], str] = {
    (HIT, HIT, HIT): "Does your cache know of CACHE_SIZE, and which line of it removes an entry?",
    (MISS, MISS, MISS): _LEAVING_HINT,
    (HIT, HIT, MISS): "Which entry does your cache remove: the one that came first, or the last?",
}
"""What to ask, by what becomes of three predictions where two fit."""


async def expect_last_two_to_stay(task: Task, key: str, told: Told) -> None:
    """Assert that of three predictions the last two stay where two fit, however old they are."""
    first, second, third, fourth = (draw_features(task) for _ in range(4))
    env = {"API_KEY": key, "CACHE_SIZE": "2", "CACHE_TTL": "20"}
    try:
        async with task.serve(env=env) as client:
            client.headers.update(key_header(key))
            await fill_cache(client, first, second, third, told=told)
            full = "CACHE_SIZE is 2, and three predictions were made"
            for flower, right in ((third, HIT), (second, HIT), (first, MISS)):
                place = "the last two stay" if right == HIT else "the oldest leaves"
                answer = await predict(client, MODEL, flower)
                expect_cache(answer, right, f"{full}: {place}", told=told)
            await asyncio.sleep(19)
            # Now it was answered 21 s before. That CACHE_TTL is read is another check's question.
            if told.read(await predict(client, MODEL, third)) == MISS:
                await fill_cache(client, fourth, told=told)
                answer = await predict(client, MODEL, third)
                because = "it was answered anew 2 s before, and the oldest leaves"
                expect_cache(answer, HIT, because, told=told)
    except AssertionError:
        if told.tells_apart:
            await _tell_what_stays(task, told)
        raise


async def _tell_what_stays(task: Task, told: Told) -> None:
    """Raise what becomes of three predictions where two fit, unless that is right."""
    of_three = await _what_stays(task, told, 3)
    if of_three == [MISS, HIT, HIT]:
        return
    of_two = await _what_stays(task, told, 2)
    sentence = (
        "With CACHE_SIZE=2, three predictions were made, and then all three were asked for again "
        f"at once: {', '.join(of_three)}; right is MISS, HIT, HIT, because the oldest alone leaves."
    )
    if of_two != [HIT, HIT]:
        raise Hinted(
            f"{sentence} Of two predictions, too, not both are a HIT: {', '.join(of_two)}.",
            "When does your cache make room: when it has CACHE_SIZE entries, or when it has more?",
        )
    raise Hinted(
        sentence, _HINTS.get(tuple(of_three), "By what does your cache choose the one that leaves?")
    )


async def _what_stays(task: Task, told: Told, count: int) -> list[str]:
    """Return whether each of so many predictions is a HIT afterwards, where two fit."""
    key = new_key(task)
    flowers = [draw_features(task) for _ in range(count)]
    async with task.serve(env={"API_KEY": key, "CACHE_SIZE": "2"}) as client:
        client.headers.update(key_header(key))
        await fill_cache(client, *flowers, told=told)
        # At once: what is computed anew would make others leave.
        answers = await asyncio.gather(*(predict(client, MODEL, each) for each in flowers))
    return [HIT if told.read(answer) == HIT else MISS for answer in answers]


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
            hint=_SIZE_HINT,
        )
        await fill_cache(client, flowers[size], told=told)
        for flower in (flowers[2], flowers[size - 1]):
            answer = await predict(client, MODEL, flower)
            expect_cache(
                answer,
                HIT,
                f"one prediction more than {size} takes the place of the oldest alone",
                told=told,
                hint=_LEAVING_HINT,
            )
        # Now one has left: the first as the oldest, or the second as the least recently used.
        answers = await asyncio.gather(*(predict(client, MODEL, each) for each in flowers[:2]))
        cache_headers = [told.read(answer) for answer in answers]
        # One check says what a MISS is called.
        with hinted(_SIZE_HINT):
            assert cache_headers != [HIT, HIT], (
                f"After {size + 1} predictions the first two are still in the cache; right is that "
                f"one has left, because without CACHE_SIZE {size} fit, and that it is the oldest."
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
        if told.tells_apart and told.read(answer) != HIT:
            has_stayed = told.read(await predict(client, MODEL, often)) == HIT
            raise Hinted(
                "With CACHE_SIZE=2, two predictions were in; the first was then used twice, and "
                "after that the second once. When a third came, the second left"
                f"{' and the first stayed' if has_stayed else ''}; right is that the first leaves: "
                "it was made before the other, and used last before the other.",
                "By what does your cache choose the one that leaves: by its age, by its last use, "
                "or by how often it was used?",
            )
        expect_cache(
            answer, HIT, "it was made and used after the other, which leaves first", told=told
        )
        twice = await asyncio.gather(*(predict(client, MODEL, often) for _ in range(2)))
        for answer in twice:
            expect_equal_answered(answer, "200")
            expect(answer, 200)
        both = all(told.read(answer) != HIT for answer in twice)
        # One of the two has left for it: whichever was stored, or used, before the other.
        answers = await asyncio.gather(*(predict(client, MODEL, each) for each in (late, new)))
        cache_headers = [told.read(answer) for answer in answers]
        is_early = not both and max(map(took, twice)) > min(map(took, twice)) == seconds(0)
        once = "asked for twice at once"
        if is_early:
            once += ", and one of these was a HIT before the model had answered the other"
        elif not both:
            once = "asked for twice, one behind the other"
        if HIT not in cache_headers:
            right = (
                "nothing is put in before the model has answered, and that one of them is still a "
                "HIT"
                if is_early
                else "it takes one place, so that one of them is still a HIT, looked up before "
                "anything new is put in"
            )
            raise Hinted(
                f"CACHE_SIZE is 2, and two predictions were in; then another was {once}; and now "
                f"both of the two are a MISS; right is that {right}.",
                "When does your code put an entry in: is there a prediction by then?"
                if is_early
                else "Does your cache make room also for a question that is in already?",
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
