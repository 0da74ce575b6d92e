"""Task 4.4: every answer tells its time and id, and every request leaves a line."""

from __future__ import annotations

import asyncio
import json

from checks.support.api_keys import bearing, new_key
from checks.support.http import alike, called, expect
from checks.support.predictions import MODELS, predict
from checks.support.tracing import (
    ID,
    TIME,
    duration_of,
    expect_line,
    header,
    line_of,
    process_time,
    with_status,
)
from ml_api_lab.check import Clock, Task, milliseconds, points, seconds, took

# Whole seconds would not show how exact a time is, so the second model needs a while by itself: so
# long that also the wall clock tells it from the seconds beside it.
SLOW, NEEDS = MODELS[1], milliseconds(457)
WAITS = dict(zip(MODELS, (seconds(2), seconds(3) + NEEDS), strict=True))


@points(2, hint="In which unit does time.perf_counter count, and between which two moments?")
async def test_the_process_time_is_right(task: Task, clock: Clock) -> None:
    """X-Process-Time holds the seconds that the answer took."""
    flower = task.models.features()
    key = new_key(task)
    task.models.slow(SLOW, NEEDS)
    async with task.serve(env={"API_KEY": key}) as client:
        client.headers.update(bearing(key))
        answers = await asyncio.gather(
            *(predict(client, model, flower) for model in MODELS), client.get("/health")
        )
    for answer, right in zip(answers, (*WAITS.values(), seconds(0)), strict=True):
        expect(answer, 200)
        assert alike(took(answer), right), (
            f"{called(answer)} took {took(answer)}; right is {right} (the model {SLOW} itself "
            f"needs {NEEDS} here)."
        )
        told = process_time(answer)
        assert alike(took(answer), told), (
            f"{called(answer)} took {took(answer)}, but its {TIME} is "
            f"{header(answer, TIME)!r}; right are the seconds, to a millisecond."
        )


@points(
    2, hint="Which answers pass through your middleware, if the one added last is the outermost?"
)
async def test_every_answer_has_both_headers(task: Task, clock: Clock) -> None:
    """Refusals and errors carry both headers as well."""
    key = new_key(task)
    flower = task.models.features()
    async with task.serve(env={"API_KEY": key}) as client:
        answers = [
            (await client.get("/health"), (200,)),
            (await client.get("/models"), (401, 403)),
            (await client.get("/nothing"), (401, 403)),
            (await client.get("/nothing", headers=bearing(key)), (404,)),
            (await client.put("/health", headers=bearing(key)), (405,)),
            (await predict(client, "no_such_model", flower, bearing(key)), (404, 422)),
            (await predict(client, MODELS[0], {"sepal_length": "abc"}, bearing(key)), (422,)),
            (await client.get("/docs"), (200,)),
        ]
    for answer, statuses in answers:
        expect(answer, *statuses)
        header(answer, TIME)
        header(answer, ID)
        assert alike(took(answer), process_time(answer)), (
            f"{called(answer)} took {took(answer)}, but its {TIME} is {header(answer, TIME)!r}; "
            "right are the seconds, to a millisecond."
        )


@points(1, hint="What does a caller need their own id for, and where do you look for it?")
async def test_the_callers_id_is_kept(task: Task, clock: Clock) -> None:
    """A request's own id comes back with its answer."""
    drawn = f"Caller-{task.draw.getrandbits(32):08x}"
    long = f"{drawn}-{'0123456789' * 6}"
    odd = f'{drawn}/a:b, 100% of "c"'
    async with task.serve(env={"API_KEY": new_key(task)}) as client:
        for path, own in (
            ("/health", drawn),
            ("/models", drawn),
            ("/health", long),
            ("/health", odd),
        ):
            answer = await client.get(path, headers={ID: own})
            seen = header(answer, ID)
            assert seen == own, (
                f"GET {path} with {ID}: {own} was answered with {ID}: {seen}; "
                "right is the caller's."
            )


@points(
    1,
    hint="When is your id made: once for the program, or once for each request? And of what: do "
    "two requests at one moment differ in it?",
)
async def test_fresh_ids_are_unique(task: Task, clock: Clock) -> None:
    """Each request without an id gets one that no other has."""
    async with task.serve(env={"API_KEY": new_key(task)}) as client:
        # So many that an object's address, taken for an id, has come again.
        one_by_one = [await client.get("/health") for _ in range(30)]
        at_once = await asyncio.gather(*(client.get("/health") for _ in range(15)))
    ids = [header(answer, ID) for answer in (*one_by_one, *at_once)]
    twice = [each for each in ids if ids.count(each) > 1]
    assert not twice, (
        f"{ids.count(twice[0])} of {len(ids)} requests got the {ID} {twice[0]}; "
        "right is a fresh one each."
    )


@points(
    2, hint="Read one of your lines back with json.loads. What does it say, and what the headers?"
)
async def test_each_request_leaves_a_line(task: Task, clock: Clock) -> None:
    """Each request leaves one JSON line that agrees with its answer."""
    key = new_key(task)
    flower = task.models.features()
    task.models.slow(SLOW, NEEDS)
    refused = f"/predict/{MODELS[0]}"
    async with task.serve(env={"API_KEY": key}) as client:
        answers = [
            (await client.get("/health"), "/health"),
            (await client.get("/health?from=probe"), "/health"),
            (await client.get("/"), "/"),
            (await client.get("/docs"), "/docs"),
            (await client.get("/models"), "/models"),
            (await client.get("/nothing", headers=bearing(key)), "/nothing"),
            (await client.put("/health", headers=bearing(key)), "/health"),
            (await predict(client, MODELS[0], {"sepal_length": "abc"}, bearing(key)), refused),
            # In JSON, a quotation mark of the caller's is written with a backslash.
            (await client.get("/health", headers={ID: f'{key[-4:]} says "hello"'}), "/health"),
            *[
                (await predict(client, each, flower, bearing(key)), f"/predict/{each}")
                for each in MODELS
            ],
        ]
        for answer, path in answers:
            line = await line_of(task, clock, header(answer, ID))
            expect_line(line, answer, path)
            assert alike(took(answer), duration_of(line)), (
                f"{called(answer)} took {took(answer)}, but left the duration "
                f"{line['duration']} in its line; right are the seconds, to a millisecond."
            )


@points(1, hint="Which lines of a function are left out when something in it raises?")
async def test_an_endpoint_that_raises_leaves_a_line(task: Task, clock: Clock) -> None:
    """A request whose endpoint raises leaves its line as well."""
    key = new_key(task)
    own = f"caller-{task.draw.getrandbits(32):08x}"
    model = "random_forest"
    task.models.fail(model)
    async with task.serve(env={"API_KEY": key}) as client:
        answer = await predict(client, model, task.models.features(), {**bearing(key), ID: own})
        assert answer.status_code >= 500, (
            f"{called(answer)} answered {answer.status_code}, though the model raised an error; "
            "right is 500."
        )
        line = await line_of(task, clock, own)
        again = await predict(client, model, task.models.features(), bearing(key))
        failed = await with_status(task, clock, again.status_code, 2)
        others = [each for each in failed if each.get("id") != own]
    expect_line(line, answer, f"/predict/{model}")
    assert alike(took(answer), duration_of(line)), (
        f"{called(answer)} took {took(answer)}, but left the duration {line['duration']}; right "
        "are the seconds that it took until it failed."
    )
    fresh = [each["id"] for each in others if each.get("id")]
    assert len(others) == len(fresh) == 1, (
        f"A second request, without an id of its own, failed as well, and left "
        f"{json.dumps(others) if others else 'no line'}; right is one line with a fresh id."
    )


@points(1, hint="Where does an id live while its request waits, and who else can write there?")
async def test_concurrent_requests_keep_their_ids(task: Task, clock: Clock) -> None:
    """Requests at the same time mix neither their ids nor their times."""
    key = new_key(task)
    flower = task.models.features()
    async with task.serve(env={"API_KEY": key}) as client:
        client.headers.update(bearing(key))
        sent = [
            (model, f"{model}-{number}-{task.draw.getrandbits(32):08x}")
            for number in range(3)
            for model in MODELS
        ]
        under_way = []
        for model, own in sent:
            under_way.append(asyncio.ensure_future(predict(client, model, flower, {ID: own})))
            await asyncio.sleep(1)
        answers = await asyncio.gather(*under_way)
        for answer, (_, own) in zip(answers, sent, strict=True):
            expect(answer, 200)
            seen = header(answer, ID)
            assert seen == own, (
                f"{called(answer)} with {ID}: {own} was answered with {ID}: {seen}, "
                "while others were under way; right is its own."
            )
            assert alike(took(answer), process_time(answer)), (
                f"{called(answer)} took {took(answer)}, while others began and ended, but its "
                f"{TIME} is {header(answer, TIME)!r}; right are the seconds that it took itself."
            )
        # A caller may send something twice.
        same = {ID: f"twice-{task.draw.getrandbits(32):08x}"}
        first = asyncio.ensure_future(predict(client, MODELS[1], flower, same))
        await asyncio.sleep(1)
        for answer in await asyncio.gather(first, predict(client, MODELS[1], flower, same)):
            expect(answer, 200)
            assert alike(took(answer), process_time(answer)), (
                f"{called(answer)} took {took(answer)}, while another with the same {ID} was under "
                f"way, but its {TIME} is {header(answer, TIME)!r}; right are the seconds that "
                "it took itself."
            )
        for answer, (model, own) in zip(answers, sent, strict=True):
            line = await line_of(task, clock, own)
            expect_line(line, answer, f"/predict/{model}")
            assert alike(took(answer), duration_of(line)), (
                f"{called(answer)} took {took(answer)}, while others began and ended, but left the "
                f"duration {line['duration']}; right are the seconds that it took itself."
            )
