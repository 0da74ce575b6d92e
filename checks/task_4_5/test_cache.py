"""Task 4.5: a prediction that was made before is served from a cache."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from checks.support import prediction_log
from checks.support.api_keys import NO_KEY, expect_denied, key_header, new_key
from checks.support.http import expect, is_close, json_body, request_line
from checks.support.predictions import (
    FEATURES,
    MODELS,
    draw_features,
    expect_model_answer,
    expect_prediction,
    features_by_name,
    hide_model_failures,
    predict,
)
from checks.support.tracing import ID_HEADER, TIME_HEADER, header_value, process_time
from checks.task_4_5.cache_bounds import (
    expect_age_to_decide,
    expect_last_two_to_stay,
    expect_one_bound,
    expect_size,
    is_bounded_by_two,
)
from checks.task_4_5.cache_expiry import (
    WRONG_DEFAULT,
    expires,
    find_what_expires,
    find_why_it_is_gone,
    find_why_it_stays,
)
from checks.task_4_5.cache_header import (
    EQUAL_HINT,
    MODEL,
    OTHER,
    REPEATED,
    STORED_HINT,
    expect_cache,
    expect_equal_answered,
    expect_no_hit,
    fill_cache,
)
from checks.task_4_5.cache_key import (
    DEFAULTS,
    KNOWN_HINT,
    different_questions,
    key_hint,
    late_repeat,
    mostly_defaults,
    tell_header_in_key,
    why_unknown,
)
from checks.task_4_5.hit_log import expect_both_records, expect_lines_of_both
from checks.task_4_5.own_words import in_its_words
from checks.task_4_5.told import HIT, MISS, Told
from ml_api_lab.check import Clock, Hinted, SubmissionFault, Task, points, seconds, took

if TYPE_CHECKING:
    import httpx

MODEL_TIMES = {"logistic_regression": seconds(2), "random_forest": seconds(3)}


@points(
    1,
    hint="What must not happen at all when the answer is there already? When do you look?",
)
async def test_a_repeat_is_served_from_the_cache(task: Task, clock: Clock) -> None:
    """A repeat is a HIT: the same answer, at once, without the model."""
    key = new_key(task)
    async with task.serve(env={"API_KEY": key}) as client:
        client.headers.update(key_header(key))
        for model in MODELS:
            flower = draw_features(
                task
            )  # whether models are told apart is another check's question
            first = await predict(client, model, flower)
            expect_cache(
                first,
                MISS,
                "it is asked for the first time",
                hint="Which of the two words stands for an answer that was not there yet?",
            )
            expect_model_answer(task, first, model, flower, exact=True)
            calls_before = len(task.models.calls)
            again = await predict(client, model, flower)
            expect_cache(again, HIT, REPEATED, hint=STORED_HINT)
            assert json_body(again) == json_body(first), (
                f"The repeat answered {json_body(again)}; "
                f"right is the first answer, {json_body(first)}."
            )
            has_asked = len(task.models.calls) > calls_before
            if took(again) != seconds(0):
                raise late_repeat(first, again, has_asked=has_asked)
            assert is_close(took(again), process_time(again)), (
                f"The repeat has {TIME_HEADER}: {header_value(again, TIME_HEADER)}; right is next "
                "to nothing."
            )
            assert not has_asked, (
                "The model was asked for the repeat as well; right is to ask it once."
            )
            backwards = await predict(
                client, model, dict(reversed(features_by_name(flower).items()))
            )
            expect_cache(
                backwards,
                HIT,
                "the features are the same, in whatever order they are sent",
                hint=KNOWN_HINT,
            )
            elsewhere = {"User-Agent": "another/1.0", ID_HEADER: "another"}
            answer = await predict(client, model, flower, elsewhere)
            if answer.headers.get("X-Cache") == MISS:
                await tell_header_in_key(client, model, flower)
            expect_cache(
                answer, HIT, "model and features are the same, whoever asks", hint=KNOWN_HINT
            )
        name, number, partly = mostly_defaults(task)
        await fill_cache(client, partly)
        for body, how in (
            (
                {"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, name: number},
                f"{number} is {number}.0",
            ),
            ({name: float(number)}, "what is left out has its default"),
        ):
            answer = await predict(client, MODEL, body)
            if answer.headers.get("X-Cache") == MISS and len(body) > 1:
                how = await why_unknown(client, {**body, "petal_width": 0.2}, how)
            expect_cache(answer, HIT, f"the features are the same: {how}", hint=KNOWN_HINT)


@points(
    1,
    hint="What is the cache's size when the environment names none? And how many leave when one "
    "too many comes?",
)
async def test_without_a_size_it_is_128(task: Task, clock: Clock) -> None:
    """Without CACHE_SIZE 128 entries stay."""
    await in_its_words(_without_a_size_it_is_128, task, clock)


async def _without_a_size_it_is_128(task: Task, clock: Clock, told: Told) -> None:
    key, size = new_key(task), 128
    # Whether a key tells all features apart, to the last decimal and in their order, is another
    # check's question.
    tenths = [each / 10 for each in range(30)]
    table = ([1 + one, 5 + two, 9.0, 9.5] for one in tenths for two in tenths)
    flowers = [each for each in table if task.models.answer(MODEL, each)][: size + 1]
    try:
        await expect_size(task, told, key, size, flowers)
    except AssertionError:
        # Whatever is wrong with a size that is given as well is another check's question.
        if told.tells_apart and not await is_bounded_by_two(task, told):
            return
        raise


@points(1, hint="Who makes room when the cache is full, and which entry has been there longest?")
async def test_the_cache_is_bounded(task: Task, clock: Clock) -> None:
    """At most CACHE_SIZE entries stay; the oldest leaves first."""
    await in_its_words(_the_cache_is_bounded, task, clock)


async def _the_cache_is_bounded(task: Task, clock: Clock, told: Told) -> None:
    key = new_key(task)
    await expect_last_two_to_stay(task, key, told)
    await expect_age_to_decide(task, key, told)
    await expect_one_bound(task, key, told)


@points(
    1,
    hint="By what does your cache know a question again? Is all in it that the answer depends on?",
)
async def test_another_question_is_a_miss(task: Task, clock: Clock) -> None:
    """Another model or another feature is a MISS."""
    await in_its_words(_another_question_is_a_miss, task, clock)


async def _another_question_is_a_miss(task: Task, clock: Clock, told: Told) -> None:
    key = new_key(task)
    questions = different_questions(flower := draw_features(task))
    # Class 0 has a check of its own.
    while not all(task.models.answer(model, features) for model, features, _ in questions):
        questions = different_questions(flower := draw_features(task))
    async with task.serve(env={"API_KEY": key}) as client:
        client.headers.update(key_header(key))
        await fill_cache(client, flower, told=told)
        answers = await asyncio.gather(
            *(predict(client, model, features) for model, features, _ in questions)
        )
        partial = [{name: flower[0]} for name in FEATURES]
        parts = [await predict(client, OTHER, body) for body in partial]
        hints = [
            await key_hint(client, told, flower, question) if told.read(answer) == HIT else ""
            for answer, question in zip(answers, questions, strict=True)
        ]
    for answer, (model, features, because), hint in zip(answers, questions, hints, strict=True):
        expect_cache(answer, MISS, because, told=told, hint=hint)
        expect_prediction(answer, model, task.models.answer(model, features))
        alone = MODEL_TIMES[model]
        # Where a HIT waits as well, each MISS does so twice.
        if told.is_quick and not is_close(took(answer), alone):
            raise Hinted(
                f"{request_line(answer)}, one of {len(answers)} at once, took {took(answer)}; "
                f"right is {alone}, as without a cache.",
                "These questions are all different. Which of them waits for another one, and where "
                "in your code?",
            )
    for answer, body in zip(parts, partial, strict=True):
        expect_cache(
            answer,
            MISS,
            "another feature was sent before, and the rest are defaults",
            told=told,
            hint="Which four numbers are in your key, and does it tell which is which?",
        )
        whole = [body.get(name, default) for name, default in DEFAULTS.items()]
        expect_prediction(answer, OTHER, task.models.answer(OTHER, whole))


@points(1, hint="Which classes are there, and which of them does Python take for false?")
async def test_class_0_is_cached(task: Task, clock: Clock) -> None:
    """A prediction of class 0 is cached like the others."""
    await in_its_words(_class_0_is_cached, task, clock)


async def _class_0_is_cached(task: Task, clock: Clock, told: Told) -> None:
    key = new_key(task)
    async with task.serve(env={"API_KEY": key}) as client:
        client.headers.update(key_header(key))
        for prediction, flower in enumerate(task.models.features_of_each_class(MODEL)):
            await fill_cache(client, flower, told=told)
            calls_before = len(task.models.calls)
            again = await predict(client, MODEL, flower)
            expect_cache(again, HIT, f"class {prediction} was answered just before", told=told)
            expect_prediction(again, MODEL, prediction)
            assert not told.is_quick or took(again) == seconds(0), (
                f"The HIT of class {prediction} took {took(again)}; right is no time, for nothing "
                "is computed."
            )
            assert not told.is_quick or len(task.models.calls) == calls_before, (
                f"The model was asked for the HIT of class {prediction}; right is not to ask it."
            )


@points(
    1,
    hint="What does your cache remember of an entry besides the prediction, and from which moment?",
)
async def test_an_entry_expires(task: Task, clock: Clock) -> None:
    """Without CACHE_TTL an entry is good for 30 s."""
    await in_its_words(_an_entry_expires, task, clock)


async def _an_entry_expires(task: Task, clock: Clock, told: Told) -> None:
    key = new_key(task)
    # Two of them: whether it renews an entry that it is a HIT is another check's question.
    used, left = draw_features(task), draw_features(task)
    async with task.serve(env={"API_KEY": key}) as client:
        client.headers.update(key_header(key))
        await fill_cache(client, used, told=told)
        used_since = clock.now
        await fill_cache(client, left, told=told)
        left_since = clock.now
        await asyncio.sleep((used_since + seconds(27.5) - clock.now) / seconds(1))
        early = await predict(client, MODEL, used)
        await asyncio.sleep((left_since + seconds(32) - clock.now) / seconds(1))
        answer = await predict(client, MODEL, left)
    because, hint = "it was answered 27.5 s before", ""
    is_gone = told.tells_apart and told.read(early) != HIT
    if is_gone and not await expires(task, told, after_seconds=27.5, CACHE_TTL="30"):
        because, hint = f"{because}. With CACHE_TTL=30 set, such a question is a HIT", WRONG_DEFAULT
    expect_cache(early, HIT, because, told=told, hint=hint)
    because, hint = "it was answered 32 s before, and not asked for since", ""
    if told.tells_apart and told.read(answer) == HIT:
        seen, hint = await find_what_expires(task, told)
        because = f"{because}. {seen}"
    expect_cache(answer, MISS, because, told=told, hint=hint)


@points(
    1,
    hint="Which of put and get may touch the time of an entry, and what is CACHE_TTL counted from?",
)
async def test_a_hit_renews_nothing(task: Task, clock: Clock) -> None:
    """CACHE_TTL counts from when an entry was stored, however often it is used."""
    await in_its_words(_a_hit_renews_nothing, task, clock)


async def _a_hit_renews_nothing(task: Task, clock: Clock, told: Told) -> None:
    key = new_key(task)
    flower = draw_features(task)
    async with task.serve(env={"API_KEY": key, "CACHE_TTL": "4"}) as client:
        client.headers.update(key_header(key))
        await asyncio.sleep(0.7)  # whole seconds would not show who counts in them
        await fill_cache(client, flower, told=told)
        age, stored_at = 0.0, clock.now
        # A HIT that waits is another check's question: of that there is time for one.
        uses = {}
        for until in (1, 2, 3.5) if told.is_quick else (0.5,):
            await asyncio.sleep(until - age)
            age = until
            uses[age] = await predict(client, MODEL, flower)
        await asyncio.sleep(4.5 - age)
        answer = await predict(client, MODEL, flower)
    for used_at, use in uses.items():
        seen, hint = "", ""
        if told.tells_apart and told.read(use) == MISS:
            seen, hint = await find_why_it_is_gone(task, told, used_at)
        because = f"it was answered {used_at} s before, and CACHE_TTL is 4{seen}"
        expect_cache(use, HIT, because, told=told, hint=hint)
    because, hint = "it was answered 4.5 s before, and CACHE_TTL is 4", ""
    if told.read(answer) == HIT:
        if not await expires(task, told, after_seconds=32):
            return  # that entries expire at all is another check's question
        seen, hint = await find_why_it_stays(task, told, stored_at, 4.5 - age)
        because += seen
    expect_cache(answer, MISS, because, told=told, hint=hint)


@points(1, hint="Which stands nearer to the caller, your cache or your guard?")
async def test_the_key_comes_before_the_cache(task: Task, clock: Clock) -> None:
    """Nothing is served from the cache without the key."""
    await in_its_words(_the_key_comes_before_the_cache, task, clock)


async def _the_key_comes_before_the_cache(task: Task, clock: Clock, told: Told) -> None:
    key = new_key(task)
    flower = draw_features(task)
    async with task.serve(env={"API_KEY": key}) as client:
        first = await predict(client, MODEL, flower, key_header(key))
        expect_cache(first, MISS, "it is asked for the first time", told=told)
        for headers, because in (({}, NO_KEY), (key_header(new_key(task)), "the key is wrong")):
            answer = await predict(client, MODEL, flower, headers)
            expect_denied(answer, f"{because}, whatever is in the cache")
        again = await predict(client, MODEL, flower, key_header(key))
        expect_cache(
            again, HIT, "it was answered before, whoever was refused in between", told=told
        )


@points(1, hint="At which moment is it certain that there is something worth keeping?")
async def test_errors_are_not_cached(task: Task, clock: Clock) -> None:
    """An error is not remembered: the next request is tried anew."""
    await in_its_words(_errors_are_not_cached, task, clock)


async def _errors_are_not_cached(task: Task, clock: Clock, told: Told) -> None:
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
                expect_no_hit(answer, "errors are not kept", told=told)
        with _failing_model(task):
            _expect_failure(await predict(client, MODEL, flower))
        hide_model_failures(task)
        answer = await predict(client, MODEL, flower)
        expect_cache(answer, MISS, "the model failed before, and works again", told=told)
        expect_prediction(answer, MODEL, task.models.answer(MODEL, flower))
        # Whoever lets a question wait for the answer of an equal one has to tell it of the error.
        other = draw_features(task)
        with _failing_model(task):
            try:
                both = await asyncio.gather(*(predict(client, MODEL, other) for _ in range(2)))
            except SubmissionFault as fault:
                if type(fault) is not SubmissionFault:
                    raise  # it has ended
                raise Hinted(str(fault), EQUAL_HINT) from None
            for failed in both:
                expect_equal_answered(failed, "500")
                _expect_failure(failed)


@contextmanager
def _failing_model(task: Task) -> Iterator[None]:
    task.models.fail(MODEL)
    try:
        yield
    finally:
        task.models.recover(MODEL)


def _expect_failure(response: httpx.Response) -> None:
    assert response.status_code >= 500, (
        f"{request_line(response)} answered {response.status_code}, though the model raised an "
        "error; right is 500."
    )


@points(1, hint="Does your endpoint come to the line that schedules the log when it has a HIT?")
async def test_a_hit_is_logged(task: Task, clock: Clock) -> None:
    """A HIT is logged in the background like any prediction."""
    await in_its_words(_a_hit_is_logged, task, clock)


async def _a_hit_is_logged(task: Task, clock: Clock, told: Told) -> None:
    key = new_key(task)
    name, number, flower = mostly_defaults(task)
    prediction_log.reset(task)
    async with task.serve(env={"API_KEY": key}) as client:
        client.headers.update(key_header(key))
        # Twice the very same body: which others mean the same is another check's question.
        first = await predict(client, MODEL, {name: number})
        expect_cache(first, MISS, "it is asked for the first time", told=told)
        answer = await predict(client, MODEL, {name: number})
        expect_cache(answer, HIT, "it was answered just before", told=told)
        assert not told.is_quick or took(answer) == seconds(0), (
            f"The HIT took {took(answer)}; right is no time, for nothing is computed."
        )
        await expect_lines_of_both(task, clock, took(answer) / seconds(1))
    await expect_both_records(task, flower)
