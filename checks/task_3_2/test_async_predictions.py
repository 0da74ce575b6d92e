"""Checks of task 3.2: predictions that wait, and nobody who waits for them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from checks.support.http import expect, is_close, request_line
from checks.support.predictions import (
    MODELS,
    draw_features,
    expect_model_answer,
    predict,
)
from ml_api_lab.check import Clock, Hinted, Span, Task, answered_at, points, seconds, took

if TYPE_CHECKING:
    from collections.abc import Sequence

    import httpx

SINGLE_TIMES = {"logistic_regression": seconds(2), "random_forest": seconds(3)}
LEAST_WAIT = seconds(1)


@points(2, hint="Does every prediction come to the wait, in seconds, and is it awaited?")
async def test_each_model_takes_its_time(task: Task) -> None:
    """A prediction of logistic_regression takes 2 s, one of random_forest 3 s."""
    flower = draw_features(task)
    async with task.serve() as client:
        # The second time as well, with a flower that has been asked for.
        for model, alone in list(SINGLE_TIMES.items()) * 2:
            response = await predict(client, model, flower)
            expect(response, 200)
            sentence = (
                f"{request_line(response)} took {took(response)}, with nothing else to do; "
                f"right is {alone}."
            )
            if took(response) >= LEAST_WAIT and not is_close(took(response), alone):
                raise Hinted(
                    sentence, "Which time has this model in the task, and which in main.py?"
                )
            assert is_close(took(response), alone), sentence


async def measure_alone(task: Task, client: httpx.AsyncClient) -> dict[str, Span]:
    """Return what a prediction of each model takes with nothing else to do.

    How long it has to be is another check's question. What takes no time at all shares no wait, so
    then the right time is returned.
    """
    alone = {}
    for model, right in SINGLE_TIMES.items():
        response = await predict(client, model, draw_features(task))
        expect(response, 200)
        alone[model] = took(response) if took(response) >= LEAST_WAIT else right
    return alone


async def measure_together(
    task: Task, clock: Clock, client: httpx.AsyncClient, models: Sequence[str]
) -> Span:
    """Return what a prediction of each of these models takes, all asked for at the same time."""
    requests = [(model, draw_features(task)) for model in models]
    clock.restart()
    answers = await asyncio.gather(*(predict(client, *each) for each in requests))
    together = clock.elapsed
    for response in answers:
        expect(response, 200)
    return together


@points(3, hint="Which kind of sleep gives the event loop back while it waits?")
async def test_two_predictions_share_the_wait(task: Task, clock: Clock) -> None:
    """Two predictions at the same time take as long as the slower one."""
    async with task.serve() as client:
        slowest = max((await measure_alone(task, client)).values())
        both = await measure_together(task, clock, client, MODELS)
        if is_close(both, slowest):
            return
        sentence = (
            f"Both models together took {both}; right is {slowest}, what the slower one takes "
            "alone."
        )
        if both > slowest:
            health = await measure_health_meanwhile(task, client)
            if health == seconds(0):
                raise Hinted(
                    f"{sentence} The loop was free: while two wait, GET /health is answered at "
                    "once.",
                    "What do predictions have to share, of which only one can have it at a time: "
                    "a lock, the one thread of a pool?",
                )
            if health is not None:
                sentence += f" While two wait, GET /health takes up to {health}."
    raise AssertionError(sentence)


async def measure_health_meanwhile(task: Task, client: httpx.AsyncClient) -> Span | None:
    """Return the longest time that /health takes, second by second, while two predictions wait.

    None if they do not wait for as long as half a second.
    """
    requests = [(model, draw_features(task)) for model in MODELS]
    predictions = asyncio.gather(*(predict(client, *each) for each in requests))
    times = []
    await asyncio.sleep(0.5)
    while not predictions.done():
        times.append(took(await client.get("/health")))
        await asyncio.sleep(1)
    await predictions
    return max(times, default=None)


@points(2, hint="What do the twenty share, so that one has to wait until another is done?")
async def test_twenty_predictions_share_the_wait(task: Task, clock: Clock) -> None:
    """Twenty predictions at the same time take no longer than one."""
    async with task.serve() as client:
        times = await measure_alone(task, client)
        slowest = max(times.values())
        two = await measure_together(task, clock, client, MODELS)
        if two > slowest and not is_close(two, slowest):
            return  # where even two wait in turn, another check asks for that
        for model, alone in times.items():
            together = await measure_together(task, clock, client, [model] * 20)
            assert is_close(together, alone), (
                f"Twenty predictions of {model} at once took {together}; right is {alone}, as long "
                "as one of them takes alone."
            )


@points(2, hint="What else can the loop do during the wait, and does anything hold it up?")
async def test_others_are_answered_meanwhile(task: Task, clock: Clock) -> None:
    """/health is answered at once while predictions wait."""
    async with task.serve() as client:
        for models, many in ((MODELS, "two"), (MODELS * 10, "twenty")):
            requests = [(model, draw_features(task)) for model in models]
            predictions = asyncio.gather(*(predict(client, *each) for each in requests))
            await asyncio.sleep(1)
            asked_at = clock.now
            health = await client.get("/health")
            answers = await predictions
            expect(health, 200)
            for response in answers:
                expect(response, 200)
                assert answered_at(response) > asked_at, (
                    f"{request_line(response)} was answered after {took(response)}, before GET "
                    "/health was even sent at 1 s; right is that predictions are still waiting "
                    "then."
                )
            sentence = (
                f"GET /health, sent 1 s after {many} predictions, took {took(health)}; "
                "right is that it is answered at once while they wait."
            )
            if took(health) != seconds(0):
                await expect_at_once_alone(task, client, sentence)
            assert took(health) == seconds(0), sentence


async def expect_at_once_alone(task: Task, client: httpx.AsyncClient, sentence: str) -> None:
    """Assert that no wait of its own makes /health slow.

    Args:
        sentence: how slow it is while predictions wait.
    """
    asked_before = len(task.transcript.entries), len(task.transcript.requests)
    alone = await client.get("/health")
    if took(alone) == seconds(0):
        # It says nothing, and would be marked on the card in place of the one that was slow.
        del task.transcript.entries[asked_before[0] :]
        del task.transcript.requests[asked_before[1] :]
        return
    sentence += f" With no prediction waiting it took {took(alone)}"
    nothing = await client.get("/nothing")
    if nothing.status_code != 404 or took(nothing) == seconds(0):
        raise Hinted(
            f"{sentence}: it waits by itself.",
            "What does /health come to before it answers, in the endpoint and in what that depends "
            "on?",
        )
    raise Hinted(
        f"{sentence}, and GET /nothing, which does not exist, {took(nothing)}: something waits "
        "whatever the path.",
        "Which code of yours does every request pass, also one for which there is no endpoint?",
    )


@points(1, hint="Is there a variable that a second request overwrites while the first one waits?")
async def test_each_gets_its_own_answer(task: Task) -> None:
    """Predictions at the same time do not mix their flowers."""
    requests = [
        (model, flower) for model in MODELS for flower in task.models.features_of_each_class(model)
    ]
    task.draw.shuffle(requests)
    async with task.serve() as client:
        answers = await asyncio.gather(*(predict(client, *each) for each in requests))
    for response, (model, flower) in zip(answers, requests, strict=True):
        expect_model_answer(task, response, model, flower, exact=True)
