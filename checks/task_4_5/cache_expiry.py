"""Whether, and when, an entry of the cache expires that nobody has asked for again."""

from __future__ import annotations

import asyncio

from checks.support.api_keys import key_header, new_key
from checks.support.predictions import draw_features, predict
from checks.task_4_5.cache_header import MODEL, fill_cache
from checks.task_4_5.told import HIT, Told
from ml_api_lab.check import Span, Task, seconds

WRONG_DEFAULT = "For how long is an entry good in your code when the environment has no CACHE_TTL?"


async def find_what_expires(task: Task, told: Told) -> tuple[str, str]:
    """Return what becomes of an entry with a CACHE_TTL of 1 s, and a hint that follows from it."""
    if await expires(task, told, after_seconds=3, CACHE_TTL="1"):
        return "With CACHE_TTL=1 an entry does expire", WRONG_DEFAULT
    if await expires(task, told, after_seconds=70, CACHE_TTL="1"):
        return (
            "With CACHE_TTL=1 an entry is a HIT after 3 s, and a MISS after 70 s",
            "Does your program read CACHE_TTL, and in which unit does your cache count?",
        )
    return (
        "Even with CACHE_TTL=1 an entry is a HIT after 70 s: it seems that none expires",
        "Which line of your cache compares the age of an entry with CACHE_TTL?",
    )


async def expires(
    task: Task, told: Told, *, after_seconds: float, stored_at: Span | None = None, **env: str
) -> bool:
    """Whether an entry that nobody has used is gone after so long, with that environment.

    Args:
        stored_at: when an entry was stored to which it is compared: this one is stored at the same
            part of a second, or else who counts in whole seconds would be told another age.
    """
    key = new_key(task)
    flower = draw_features(task)
    async with task.serve(env={"API_KEY": key, **env}) as client:
        client.headers.update(key_header(key))
        if stored_at is not None:
            await asyncio.sleep((stored_at - task.clock.now) % seconds(1) / seconds(1))
        await fill_cache(client, flower, told=told)
        await asyncio.sleep(after_seconds)
        return told.read(await predict(client, MODEL, flower)) != HIT
