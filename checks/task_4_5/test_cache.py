"""Task 4.5: a prediction that was made before is served from a cache."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from checks.support import prediction_log
from checks.support.api_keys import NO_KEY, expect_denied, key_header, new_key
from checks.support.http import expect, is_close, json_body, request_line
from checks.support.predictions import (
    FEATURES,
    MODELS,
    draw_features,
    expect_prediction,
    features_by_name,
    predict,
)
from checks.support.tracing import ID_HEADER, TIME_HEADER, header_value, process_time
from ml_api_lab.check import Clock, Task, points, seconds, took

if TYPE_CHECKING:
    import httpx

MODEL, OTHER = MODELS
HIT, MISS = "HIT", "MISS"
MODEL_TIMES = {"logistic_regression": seconds(2), "random_forest": seconds(3)}
DEFAULTS = dict(zip(FEATURES, (5.1, 3.5, 1.4, 0.2), strict=True))


def expect_cache(response: httpx.Response, right: str, because: str) -> None:
    """Assert that the answer is a prediction, and what its X-Cache says."""
    expect(response, 200)
    cache_headers = response.headers.get("X-Cache")
    assert cache_headers == right, (
        f"{request_line(response)} with {response.request.content.decode()} answered with "
        f"{f'X-Cache: {cache_headers}' if cache_headers else 'no X-Cache'}; right is "
        f"{right}{', in capitals' if cache_headers and cache_headers.upper() == right else ''}, "
        f"because {because}."
    )


def _mostly_defaults(task: Task) -> tuple[int, list[float]]:
    """Return a width, and the flower that it makes with the defaults; none of class 0."""
    for width in range(1, 10):
        flower = list({**DEFAULTS, "sepal_width": float(width)}.values())
        if task.models.answer(MODEL, flower):
            return width, flower
    raise AssertionError("All widths are of class 0.")


async def fill_cache(client: httpx.AsyncClient, *flowers: Sequence[float]) -> None:
    """Ask for these predictions, one after the other; none was asked for before."""
    for flower in flowers:
        # One check says what a MISS is called; here it is only no HIT.
        answer = await predict(client, MODEL, flower)
        expect(answer, 200)
        _expect_no_hit(answer, "it is asked for the first time")


@points(
    1,
    hint="What must not happen at all when the answer is there already? When do you look?",
)
async def test_a_repeat_is_served_from_the_cache(task: Task, clock: Clock) -> None:
    """A repeat is a HIT: the same answer, at once, without the model."""
    key = new_key(task)
    flower = draw_features(task)
    async with task.serve(env={"API_KEY": key}) as client:
        client.headers.update(key_header(key))
        for model in MODELS:
            first = await predict(client, model, flower)
            expect_cache(first, MISS, "it is asked for the first time")
            expect_prediction(first, model, task.models.answer(model, flower))
            calls_before = len(task.models.calls)
            again = await predict(client, model, flower)
            expect_cache(again, HIT, "it was answered just before")
            assert json_body(again) == json_body(first), (
                f"The repeat answered {json_body(again)}; "
                f"right is the first answer, {json_body(first)}."
            )
            assert took(again) == seconds(0), (
                f"The repeat took {took(again)}; right is no time, for nothing is computed."
            )
            assert is_close(took(again), process_time(again)), (
                f"The repeat has {TIME_HEADER}: {header_value(again, TIME_HEADER)}; right is next "
                "to nothing."
            )
            assert len(task.models.calls) == calls_before, (
                "The model was asked for the repeat as well; right is to ask it once."
            )
            backwards = await predict(
                client, model, dict(reversed(features_by_name(flower).items()))
            )
            expect_cache(
                backwards, HIT, "the features are the same, in whatever order they are sent"
            )
            elsewhere = {"User-Agent": "another/1.0", ID_HEADER: "another"}
            answer = await predict(client, model, flower, elsewhere)
            expect_cache(answer, HIT, "model and features are the same, whoever asks")
        width, partly = _mostly_defaults(task)
        await fill_cache(client, partly)
        for body, how in (
            (
                {"sepal_length": 5.1, "sepal_width": width, "petal_length": 1.4},
                f"{width} is {width}.0",
            ),
            ({"sepal_width": float(width)}, "what is left out has its default"),
        ):
            answer = await predict(client, MODEL, body)
            expect_cache(answer, HIT, f"the features are the same: {how}")


@points(
    1,
    hint="What is the cache's size when the environment names none? And how many leave when one "
    "too many comes?",
)
async def test_without_a_size_it_is_128(task: Task, clock: Clock) -> None:
    """Without CACHE_SIZE 128 entries stay."""
    key, size = new_key(task), 128
    row = ([1 + number / 100, 2.0, 3.0, 4.0] for number in range(800))
    flowers = [each for each in row if task.models.answer(MODEL, each)][: size + 1]
    async with task.serve(env={"API_KEY": key, "CACHE_TTL": "600"}) as client:
        client.headers.update(key_header(key))
        await fill_cache(client, flowers[0], flowers[1])
        await asyncio.gather(*(predict(client, MODEL, flower) for flower in flowers[2:size]))
        answer = await predict(client, MODEL, flowers[0])
        expect_cache(
            answer, HIT, f"{size} predictions were made, as many as fit without CACHE_SIZE"
        )
        await fill_cache(client, flowers[size])
        for flower in (flowers[2], flowers[size - 1]):
            answer = await predict(client, MODEL, flower)
            expect_cache(
                answer, HIT, f"one prediction more than {size} takes the place of the oldest alone"
            )
        # Now one has left: the first as the oldest, or the second as the least recently used.
        answers = await asyncio.gather(*(predict(client, MODEL, each) for each in flowers[:2]))
        cache_headers = [answer.headers.get("X-Cache") for answer in answers]
        # One check says what a MISS is called.
        assert cache_headers != [HIT, HIT], (
            f"After {size + 1} predictions the first two are still in the cache; "
            f"right is that one has left, because without CACHE_SIZE {size} fit, and that it is "
            "the oldest."
        )


@points(1, hint="Who makes room when the cache is full, and which entry has been there longest?")
async def test_the_cache_is_bounded(task: Task, clock: Clock) -> None:
    """At most CACHE_SIZE entries stay; the oldest leaves first."""
    key = new_key(task)
    first, second, third, fourth = (draw_features(task) for _ in range(4))
    env = {"API_KEY": key, "CACHE_SIZE": "2", "CACHE_TTL": "7"}
    async with task.serve(env=env) as client:
        client.headers.update(key_header(key))
        await fill_cache(client, first, second, third)
        full = "CACHE_SIZE is 2, and three predictions were made"
        for flower, right in ((third, HIT), (second, HIT), (first, MISS)):
            place = "the last two stay" if right == HIT else "the oldest leaves"
            expect_cache(await predict(client, MODEL, flower), right, f"{full}: {place}")
        await asyncio.sleep(6)
        answer = await predict(client, MODEL, third)
        expect_cache(answer, MISS, "it was answered 8 s before, and CACHE_TTL is 7")
        await fill_cache(client, fourth)
        answer = await predict(client, MODEL, third)
        expect_cache(answer, HIT, "it was answered anew 2 s before, and the oldest leaves")
    await _expect_age_to_decide(task, key)
    await _expect_one_bound(task, key)


async def _expect_age_to_decide(task: Task, key: str) -> None:
    often, late, new = (draw_features(task) for _ in range(3))
    async with task.serve(env={"API_KEY": key, "CACHE_SIZE": "2"}) as client:
        client.headers.update(key_header(key))
        await fill_cache(client, often, late)
        for flower in (often, often, late):
            expect_cache(
                await predict(client, MODEL, flower), HIT, "CACHE_SIZE is 2, and two are in"
            )
        await fill_cache(client, new)
        answer = await predict(client, MODEL, late)
        expect_cache(answer, HIT, "it was made and used after the other, which leaves first")
        twice = await asyncio.gather(*(predict(client, MODEL, often) for _ in range(2)))
        for answer in twice:
            expect(answer, 200)
        both = all(answer.headers.get("X-Cache") != HIT for answer in twice)
        # One of the two has left for it: whichever was stored, or used, before the other.
        answers = await asyncio.gather(*(predict(client, MODEL, each) for each in (late, new)))
        cache_headers = [answer.headers.get("X-Cache") for answer in answers]
        once = "asked for twice at once" if both else "asked for twice, one behind the other"
        assert HIT in cache_headers, (
            f"CACHE_SIZE is 2, and two predictions were in; then another was {once}, and now both "
            "of the two are a MISS; right is that it takes one place, so that one of them is still "
            "a HIT, looked up before anything new is put in."
        )


async def _expect_one_bound(task: Task, key: str) -> None:
    flower = draw_features(task)
    async with task.serve(env={"API_KEY": key, "CACHE_SIZE": "1"}) as client:
        client.headers.update(key_header(key))
        await fill_cache(client, flower)
        expect_cache(await predict(client, OTHER, flower), MISS, "the other model is asked")
        answer = await predict(client, MODEL, flower)
        because = "CACHE_SIZE is 1, whichever model is asked, and another was asked since"
        expect_cache(answer, MISS, because)


@points(
    1,
    hint="By what does your cache know a question again? Is all in it that the answer depends on?",
)
async def test_another_question_is_a_miss(task: Task, clock: Clock) -> None:
    """Another model or another feature is a MISS."""
    key = new_key(task)
    questions = _different_questions(flower := draw_features(task))
    # Class 0 has a check of its own.
    while not all(task.models.answer(model, features) for model, features, _ in questions):
        questions = _different_questions(flower := draw_features(task))
    async with task.serve(env={"API_KEY": key}) as client:
        client.headers.update(key_header(key))
        await fill_cache(client, flower)
        answers = await asyncio.gather(
            *(predict(client, model, features) for model, features, _ in questions)
        )
        partial = [{name: flower[0]} for name in FEATURES]
        parts = [await predict(client, OTHER, body) for body in partial]
    for answer, (model, features, because) in zip(answers, questions, strict=True):
        expect_cache(answer, MISS, because)
        expect_prediction(answer, model, task.models.answer(model, features))
        alone = MODEL_TIMES[model]
        assert is_close(took(answer), alone), (
            f"{request_line(answer)}, one of {len(answers)} at once, took {took(answer)}; "
            f"right is {alone}, as without a cache."
        )
    for answer, body in zip(parts, partial, strict=True):
        expect_cache(answer, MISS, "another feature was sent before, and the rest are defaults")
        whole = [body.get(name, default) for name, default in DEFAULTS.items()]
        expect_prediction(answer, OTHER, task.models.answer(OTHER, whole))


def _different_questions(flower: list[float]) -> list[tuple[str, list[float], str]]:
    """Return questions that differ from that of the first model about the flower, and how."""
    questions = [(OTHER, flower, "the other model is asked")]
    for place, number in enumerate(flower):
        changed = [*flower[:place], round(number + 0.0000001, 7), *flower[place + 1 :]]
        questions.append((MODEL, changed, f"feature {place + 1} is another"))
    # Drawn features are four different numbers.
    return [*questions, (MODEL, flower[::-1], "the features come in another order")]


@points(1, hint="Which classes are there, and which of them does Python take for false?")
async def test_class_0_is_cached(task: Task, clock: Clock) -> None:
    """A prediction of class 0 is cached like the others."""
    key = new_key(task)
    async with task.serve(env={"API_KEY": key}) as client:
        client.headers.update(key_header(key))
        for prediction, flower in enumerate(task.models.features_of_each_class(MODEL)):
            await fill_cache(client, flower)
            calls_before = len(task.models.calls)
            again = await predict(client, MODEL, flower)
            expect_cache(again, HIT, f"class {prediction} was answered just before")
            expect_prediction(again, MODEL, prediction)
            assert took(again) == seconds(0), (
                f"The HIT of class {prediction} took {took(again)}; right is no time, for nothing "
                "is computed."
            )
            assert len(task.models.calls) == calls_before, (
                f"The model was asked for the HIT of class {prediction}; right is not to ask it."
            )


@points(
    1,
    hint="What does your cache remember of an entry besides the prediction, and from which moment?",
)
async def test_an_entry_expires(task: Task, clock: Clock) -> None:
    """Without CACHE_TTL an entry is good for 30 s."""
    key = new_key(task)
    flower = draw_features(task)
    async with task.serve(env={"API_KEY": key}) as client:
        client.headers.update(key_header(key))
        await fill_cache(client, flower)
        await asyncio.sleep(28)
        expect_cache(await predict(client, MODEL, flower), HIT, "it was answered 28 s before")
        await asyncio.sleep(4)
        expect_cache(await predict(client, MODEL, flower), MISS, "it was answered 32 s before")


@points(
    1,
    hint="Which of put and get may touch the time of an entry, and what is CACHE_TTL counted from?",
)
async def test_a_hit_renews_nothing(task: Task, clock: Clock) -> None:
    """CACHE_TTL counts from when an entry was stored, however often it is used."""
    key = new_key(task)
    flower = draw_features(task)
    async with task.serve(env={"API_KEY": key, "CACHE_TTL": "4"}) as client:
        client.headers.update(key_header(key))
        await asyncio.sleep(0.7)  # whole seconds would not show who counts in them
        await fill_cache(client, flower)
        for age, pause in ((1, 1), (2, 1), (3.5, 1.5)):
            await asyncio.sleep(pause)
            answer = await predict(client, MODEL, flower)
            expect_cache(answer, HIT, f"it was answered {age} s before, and CACHE_TTL is 4")
        await asyncio.sleep(1)
        answer = await predict(client, MODEL, flower)
        expect_cache(answer, MISS, "it was answered 4.5 s before, and CACHE_TTL is 4")


@points(1, hint="Which stands nearer to the caller, your cache or your guard?")
async def test_the_key_comes_before_the_cache(task: Task, clock: Clock) -> None:
    """Nothing is served from the cache without the key."""
    key = new_key(task)
    flower = draw_features(task)
    async with task.serve(env={"API_KEY": key}) as client:
        first = await predict(client, MODEL, flower, key_header(key))
        expect_cache(first, MISS, "it is asked for the first time")
        for headers, because in (({}, NO_KEY), (key_header(new_key(task)), "the key is wrong")):
            answer = await predict(client, MODEL, flower, headers)
            expect_denied(answer, f"{because}, whatever is in the cache")
        again = await predict(client, MODEL, flower, key_header(key))
        expect_cache(again, HIT, "it was answered before, whoever was refused in between")


@points(1, hint="At which moment is it certain that there is something worth keeping?")
async def test_errors_are_not_cached(task: Task, clock: Clock) -> None:
    """An error is not remembered: the next request is tried anew."""
    key = new_key(task)
    flower = draw_features(task)
    async with task.serve(env={"API_KEY": key}) as client:
        client.headers.update(key_header(key))
        for model, body, what in (
            ("no_such_model", flower, "the unknown model"),
            (MODEL, {"sepal_length": "abc"}, "the bad field"),
        ):
            for _ in range(2):
                answer = await predict(client, model, body)
                expect(answer, 404, 422, because=f"of {what}, now as before")
                _expect_no_hit(answer, "errors are not kept")
        task.models.fail(MODEL)
        _expect_failure(await predict(client, MODEL, flower))
        task.models.recover(MODEL)
        answer = await predict(client, MODEL, flower)
        expect_cache(answer, MISS, "the model failed before, and works again")
        expect_prediction(answer, MODEL, task.models.answer(MODEL, flower))
        task.models.fail(MODEL)
        # Whoever lets a question wait for the answer of an equal one has to tell it of the error.
        other = draw_features(task)
        for failed in await asyncio.gather(*(predict(client, MODEL, other) for _ in range(2))):
            _expect_failure(failed)


def _expect_failure(response: httpx.Response) -> None:
    assert response.status_code >= 500, (
        f"{request_line(response)} answered {response.status_code}, though the model raised an "
        "error; right is 500."
    )


def _expect_no_hit(response: httpx.Response, because: str) -> None:
    assert response.headers.get("X-Cache") != HIT, (
        f"{request_line(response)} with {response.request.content.decode()} answered "
        f"{response.status_code} with X-Cache: HIT; right is no HIT, because {because}."
    )


@points(1, hint="Does your endpoint come to the line that schedules the log when it has a HIT?")
async def test_a_hit_is_logged(task: Task, clock: Clock) -> None:
    """A HIT is logged in the background like any prediction."""
    key = new_key(task)
    width, flower = _mostly_defaults(task)
    prediction_log.reset(task)
    async with task.serve(env={"API_KEY": key}) as client:
        client.headers.update(key_header(key))
        await fill_cache(client, flower)
        answer = await predict(client, MODEL, {"sepal_width": width})
        expect_cache(answer, HIT, "the features are the same: what is left out has its default")
        assert took(answer) == seconds(0), (
            f"The HIT took {took(answer)}; right is no time, for nothing is computed."
        )
        await asyncio.sleep(4)
        prediction_log.expect_line_count(task, 0, "4 s after the HIT it is too early for a line")
        await prediction_log.wait_for_predictions(task, clock, 2, is_tested=True)
        await asyncio.sleep(6)  # time for a line too many, one behind the other
    prediction_log.expect_line_count(
        task, 2, "there was one MISS and one HIT, and both are predictions"
    )
    prediction_log.expect_every_record(task, MODEL, flower, task.models.answer(MODEL, flower))
