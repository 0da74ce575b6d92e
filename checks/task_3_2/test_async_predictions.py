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
from checks.support.probe import unshown
from checks.support.source import lines_with_name, where_it_stands
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
        for model, alone in SINGLE_TIMES.items():
            response = await predict(client, model, flower)
            expect(response, 200)
            if not is_close(took(response), alone):
                raise await wrong_time(task, client, response, model)
        # The second time as well, with a flower that has been asked for.
        for model, alone in SINGLE_TIMES.items():
            response = await predict(client, model, flower)
            expect(response, 200)
            if not is_close(took(response), alone):
                raise await wrong_time_again(task, client, response, model)


async def wrong_time(
    task: Task, client: httpx.AsyncClient, response: httpx.Response, model: str
) -> Hinted:
    """Return the error of a first prediction that takes too short or too long a time."""
    sentence = too_short_or_long(response, model)
    seen = took(response)
    if seen < LEAST_WAIT:
        return no_wait(task, sentence, seen)
    other = next(each for each in MODELS if each != model)
    with unshown(task):
        other_time = took(await predict(client, other, draw_features(task)))
    right, other_right = SINGLE_TIMES[model], SINGLE_TIMES[other]
    judged = (
        "which is right" if is_close(other_time, other_right) else f"where {other_right} is right"
    )
    sentence += f" {other} took {other_time}, {judged}. {where_it_stands(task, 'sleep')}"
    hint = "Which time has this model in the task, and which in main.py?"
    if is_close(seen, right + right) and is_close(other_time, other_right + other_right):
        hint = "Both take twice as long: how many times does a prediction wait?"
    elif is_close(seen, other_right) and is_close(other_time, right):
        hint = "Each has the time of the other: which of them is which model's?"
    elif is_close(seen, other_time):
        hint = "Both take the same time: does what your code waits depend on the model?"
    return Hinted(sentence, hint)


async def wrong_time_again(
    task: Task, client: httpx.AsyncClient, response: httpx.Response, model: str
) -> Hinted:
    """Return the error of a prediction that took its time at first, and not the second time."""
    with unshown(task):
        fresh = took(await predict(client, model, draw_features(task)))
    sentence = (
        f"{too_short_or_long(response, model)} It was asked for this flower before, and took its "
        f"time. For a flower that is new it takes {fresh}."
    )
    return Hinted(
        sentence,
        "What does your code remember of a flower, so that it does not wait for it again?"
        if fresh >= LEAST_WAIT
        else "What does your code remember of a model, so that only its first prediction waits?",
    )


def too_short_or_long(response: httpx.Response, model: str) -> str:
    return (
        f"{request_line(response)} took {took(response)}, with nothing else to do; right is "
        f"{SINGLE_TIMES[model]}."
    )


def no_wait(task: Task, sentence: str, seen: Span) -> Hinted:
    """Return the error of a prediction that does not wait, or far too short a time."""
    lines = lines_with_name(task, "sleep")
    if not lines:
        hint = "Which line of yours makes a prediction take its time?"
    elif seen > seconds(0):
        hint = "In which unit is what you give to sleep, and in which does sleep take it?"
    elif any("await " in line for line in lines):
        hint = "Does every prediction come to this line before it is answered?"
    else:
        hint = "Does predict await, before it answers, what this line begins?"
    return Hinted(f"{sentence} {where_it_stands(task, 'sleep')}", hint)


async def expect_some_wait(task: Task, client: httpx.AsyncClient) -> None:
    """Assert that a prediction alone waits, in the words of the check that asks for its time.

    Where it does not, that is why it shares no wait, and its card says so once for all checks.
    """
    for model in MODELS:
        response = await predict(client, model, draw_features(task))
        expect(response, 200)
        if took(response) < LEAST_WAIT:
            raise no_wait(task, too_short_or_long(response, model), took(response))


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
        await expect_some_wait(task, client)
        if both > slowest:
            raise await waiting_in_turn(task, client, sentence, MODELS)
    raise AssertionError(sentence)


async def waiting_in_turn(
    task: Task, client: httpx.AsyncClient, sentence: str, models: Sequence[str]
) -> Hinted:
    """Return the error of predictions that wait in turn, with what else has to wait meanwhile.

    Args:
        models: two that wait in turn.
    """
    health = await measure_meanwhile(task, client, models, "/health")
    if health == seconds(0):
        return Hinted(
            f"{sentence} The loop was free: while two wait, GET /health is answered at once.",
            "What do predictions have to share, of which only so many can have it at a time: a "
            "lock, a semaphore, the threads of a pool?",
        )
    return await slow_health(
        task,
        client,
        f"{sentence} While two wait, GET /health takes up to {health}.",
        models,
    )


async def slow_health(
    task: Task, client: httpx.AsyncClient, sentence: str, models: Sequence[str]
) -> Hinted:
    """Return the error of a /health that has to wait for predictions: why, as far as is seen.

    Args:
        models: those whose predictions it has to wait for.
    """
    with unshown(task):
        nothing = await measure_meanwhile(task, client, models, "/nothing")
    if nothing == seconds(0):
        return Hinted(
            f"{sentence} GET /nothing, which does not exist, is answered at once meanwhile: the "
            "loop is free.",
            "What do predictions hold that others need as well, such as a thread of the pool in "
            "which every endpoint with a plain `def` runs?",
        )
    lines = lines_with_name(task, "sleep")
    return Hinted(
        f"{sentence} {where_it_stands(task, 'sleep')}",
        "Such a sleep leaves the loop free. For what else do all requests wait, whatever their "
        "path: a lock in a middleware?"
        if lines and all("await " in line for line in lines)
        else "Which kind of sleep gives the event loop back while it waits?",
    )


async def measure_meanwhile(
    task: Task, client: httpx.AsyncClient, models: Sequence[str], path: str
) -> Span:
    """Return the longest time that a path takes, second by second, while predictions wait."""
    requests = [(model, draw_features(task)) for model in models]
    predictions = asyncio.gather(*(predict(client, *each) for each in requests))
    times = [seconds(0)]
    await asyncio.sleep(0.5)
    while not predictions.done():
        times.append(took(await client.get(path)))
        await asyncio.sleep(1)
    await predictions
    return max(times)


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
            if is_close(together, alone):
                continue
            await expect_some_wait(task, client)
            sentence = (
                f"Twenty predictions of {model} at once took {together}; right is {alone}, as long "
                "as one of them takes alone."
            )
            if together > alone:
                raise await waiting_in_turn(task, client, sentence, [model] * 2)
            raise AssertionError(sentence)


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
                if answered_at(response) <= asked_at:
                    await expect_some_wait(task, client)
                    raise AssertionError(
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
                raise await slow_health(task, client, sentence, models)


async def expect_at_once_alone(task: Task, client: httpx.AsyncClient, sentence: str) -> None:
    """Assert that no wait of its own makes /health slow.

    Args:
        sentence: how slow it is while predictions wait.
    """
    with unshown(task):
        alone = await client.get("/health")
    if took(alone) == seconds(0):
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
        try:
            expect_model_answer(task, response, model, flower, exact=True)
        except AssertionError as error:
            asked = sum(call.model == model for call in task.models.calls)
            wanted = sum(each == model for each, _ in requests)
            if not 0 < asked < wanted:
                raise
            raise Hinted(
                f"{error} For {wanted} predictions at the same time it was asked only "
                f"{'once' if asked == 1 else f'{asked} times'}.",
                "Whose answer does a request get that comes while another one for the same model "
                "waits?",
            ) from None
