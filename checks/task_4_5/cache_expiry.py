"""Whether, and when, an entry of the cache expires that nobody has asked for again."""

from __future__ import annotations

import asyncio

from checks.support.api_keys import key_header, new_key
from checks.support.predictions import draw_features, predict
from checks.task_4_5.cache_header import MODEL, fill_cache
from checks.task_4_5.told import HIT, Told
from ml_api_lab.check import Span, StartFailed, Task, seconds

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


async def find_why_it_is_gone(task: Task, told: Told, age: float) -> tuple[str, str]:
    """Return what is seen of entries that nobody uses where one was gone too early; and a hint.

    Args:
        age: at how many seconds it was gone, with a CACHE_TTL of 4 s, after it had been used.
    """
    if not await expires(task, told, after_seconds=age, CACHE_TTL="4"):
        return (
            ". An entry that was not used since is a HIT then",
            "What does your cache change when it finds an entry?",
        )
    seen = ". An entry that was not used since is a MISS as well"
    late, early = 8.5, 7.5
    if await expires(task, told, after_seconds=late, CACHE_TTL="10") and not await expires(
        task, told, after_seconds=early, CACHE_TTL="10"
    ):
        return (
            f"{seen}; with CACHE_TTL=10 it is a HIT after {early} s, and a MISS after {late} s: "
            "it expires about 2 s early, and 2 s is what the prediction takes",
            "From which moment does your cache count: from when the request came, or from when its "
            "prediction was stored?",
        )
    return seen, "What does your cache compare with CACHE_TTL, in which unit, and with which sign?"


async def find_why_it_stays(
    task: Task, told: Told, stored_at: Span, since_use: float
) -> tuple[str, str]:
    """Return what is seen of entries that nobody uses where one stayed 4.5 s; and a hint.

    Args:
        stored_at: when that entry was stored, with a CACHE_TTL of 4 s.
        since_use: how many seconds before that it was used.
    """

    async def is_gone(after_seconds: float, ttl: str = "4") -> bool:
        return await expires(
            task, told, after_seconds=after_seconds, stored_at=stored_at, CACHE_TTL=ttl
        )

    if await is_gone(4.5):
        return f". A HIT {since_use:g} s before must not make it younger", ""
    seen = ". An entry that was not used since is a HIT as well"
    if not await is_gone(6):
        if await is_gone(32):
            return (
                f"{seen}, also after 6 s; it is a MISS after 32 s, as it is without CACHE_TTL",
                "Does your program read CACHE_TTL?",
            )
        return (
            f"{seen}, also after 32 s",
            "In which unit does your cache count, and in which is CACHE_TTL?",
        )
    if not await is_gone(5.2):
        return f"{seen}", (
            "What does your cache compare with CACHE_TTL, with which sign, and is anything rounded "
            "or added before?"
        )
    seen += ", and a MISS after 5.2 s"
    try:
        is_longer = not await is_gone(5.2, "4.5")
    except StartFailed:
        task.transcript.raised.clear()
        return seen, (
            "Is anything added to CACHE_TTL, or is the age cut to whole seconds, before the two "
            "are compared?"
        )
    if is_longer:
        return (
            f"{seen}. With CACHE_TTL=4.5 it is still a HIT after 5.2 s",
            "Is anything added to CACHE_TTL, or taken off the age, before the two are compared?",
        )
    return (
        f"{seen}. With CACHE_TTL=4.5 it is a MISS after 5.2 s, too, so no whole second is added",
        "Is the age compared as it is, or cut or rounded to whole seconds before?",
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
