"""Task 4.4: every answer tells its time and id, and every request leaves a line."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from checks.support import prediction_log
from checks.support.api_keys import key_header, new_key
from checks.support.hints import hinted
from checks.support.http import expect, is_close, request_line
from checks.support.predictions import MODELS, draw_features, predict
from checks.support.tracing import (
    ID_HEADER,
    TIME_HEADER,
    header_value,
    process_time,
    similar_header,
)
from checks.support.wording import joined
from checks.task_4_4.alone import ask_alone
from checks.task_4_4.claimed_time import expect_time_in_header, hint_for_time
from checks.task_4_4.request_log import (
    expect_line_matches,
    expect_lines_of_all,
    line_duration,
    wait_for_line,
    wait_for_lines_with_status,
)
from ml_api_lab.check import Clock, Hinted, Span, Task, milliseconds, points, seconds, took

if TYPE_CHECKING:
    import httpx

# Whole seconds would not show how exact a time is, so the second model needs a while by itself: so
# long that also the wall clock tells it from the seconds beside it.
SLOW_MODEL, MODEL_TIME = MODELS[1], milliseconds(457)
EXPECTED_TIMES = dict(zip(MODELS, (seconds(2), seconds(3) + MODEL_TIME), strict=True))


@points(2, hint="In which unit does time.perf_counter count, and between which two moments?")
async def test_the_process_time_is_right(task: Task, clock: Clock) -> None:
    """X-Process-Time holds the seconds that the answer took."""
    flower = task.models.features()
    key = new_key(task)
    task.models.slow(SLOW_MODEL, MODEL_TIME)
    async with task.serve(env={"API_KEY": key}) as client:
        client.headers.update(key_header(key))
        answers = await asyncio.gather(
            *(predict(client, model, flower) for model in MODELS), client.get("/health")
        )
        answers.append(await predict(client, MODELS[0], draw_features(task)))
    right_times = (*EXPECTED_TIMES.values(), seconds(0), EXPECTED_TIMES[MODELS[0]])
    for answer, right in zip(answers, right_times, strict=True):
        expect(answer, 200)
        slow = f" (the model {SLOW_MODEL} itself needs {MODEL_TIME} here)"
        if is_close(took(answer), right + prediction_log.DELAY):
            raise Hinted(
                f"{request_line(answer)} took {took(answer)}; right is {right}. The "
                f"{prediction_log.DELAY} more are those that the log waits behind the answer.",
                "Who waits for the work behind an answer before the answer is sent?",
            )
        with hinted("What makes the answer itself late, your middleware or the endpoint?"):
            assert is_close(took(answer), right), (
                f"{request_line(answer)} took {took(answer)}; right is {right}"
                f"{slow if SLOW_MODEL in request_line(answer) else ''}."
            )
        expect_time_in_header(answer, answers[2])


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
            (await client.get("/"), (200,)),
            (await client.get("/models"), (401, 403)),
            (await client.get("/nothing"), (401, 403)),
            (await client.get("/nothing", headers=key_header(key)), (404,)),
            (await client.put("/health", headers=key_header(key)), (405,)),
            (await predict(client, "no_such_model", flower, key_header(key)), (404, 422)),
            (await predict(client, MODELS[0], {"sepal_length": "abc"}, key_header(key)), (422,)),
            (await client.get("/docs"), (200,)),
        ]
        alone = await ask_alone(task, clock, client, key)
    for answer, statuses in answers:
        expect(answer, *statuses)
        for name in (TIME_HEADER, ID_HEADER):
            if answer.status_code < 500 and not similar_header(answer, name):
                _expect_on_every_answer([each for each, _ in answers], name)
            header_value(answer, name)
        if alone.time:
            expect_time_in_header(answer)


def _expect_on_every_answer(answers: list[httpx.Response], name: str) -> None:
    """Assert that none of the answers lacks that header; if some do, say which."""
    missing = [each for each in answers if not similar_header(each, name)]
    first, *others = missing
    if len(missing) == len(answers):
        header_value(first, name)
    if all(each.status_code in (401, 403) for each in missing):
        hint = (
            "Which of your middlewares answers here, and does its answer pass through the one that "
            "sets the header? The one added last is the outermost."
        )
    else:
        hint = "What do the answers without it have in common? Which condition leaves it out?"
    more = joined([f"{request_line(each)} ({each.status_code})" for each in others])
    also = f"Also without it: {more}. " if more else ""
    raise Hinted(
        f"{request_line(first)} answered {first.status_code} without {name}; right is this header "
        f"on every answer. {also}All the others of the {len(answers)} answers have it.",
        hint,
    )


@points(1, hint="What does a caller need their own id for, and where do you look for it?")
async def test_the_callers_id_is_kept(task: Task, clock: Clock) -> None:
    """A request's own id comes back with its answer."""
    drawn = f"Caller-{task.draw.getrandbits(32):08x}"
    long = f"{drawn}-{'0123456789' * 6}"
    odd = f'{drawn}/a:b, 100% of "c"'
    key = new_key(task)
    async with task.serve(env={"API_KEY": key}) as client:
        flower = draw_features(task)
        answers = [
            await predict(client, MODELS[0], flower, {ID_HEADER: drawn, **key_header(key)}),
            *[
                await client.get(path, headers={ID_HEADER: request_id})
                for path, request_id in (
                    ("/health", drawn),
                    ("/models", drawn),
                    ("/health", long),
                    ("/health", odd),
                )
            ],
        ]
    for answer in answers:
        if _lacks_id(answer):
            continue
        returned_id = header_value(answer, ID_HEADER, exact=False)
        request_id = answer.request.headers[ID_HEADER]
        if returned_id == request_id:
            continue
        is_cut = bool(returned_id) and request_id.startswith(returned_id)
        more = f", of which these are the first {len(returned_id)} characters" if is_cut else ""
        sentence = (
            f"{request_line(answer)} with {ID_HEADER}: {request_id} was answered with "
            f"{ID_HEADER}: {returned_id}; right is the caller's{more}."
        )
        if is_cut or returned_id.lower() == request_id.lower():
            raise Hinted(
                sentence,
                "What becomes of the id between the request and the answer, and in which "
                "line of yours?",
            )
        if request_id != drawn:
            # A plain one came back: of this kind of request alone none does.
            raise Hinted(
                sentence,
                "Which ids of callers does your code keep, and what becomes of the others?",
            )
        raise AssertionError(sentence)


def _lacks_id(answer: httpx.Response) -> bool:
    """Whether the answer is a refusal without an id, which another check asks for."""
    return 400 <= answer.status_code < 500 and ID_HEADER not in answer.headers


@points(
    1,
    hint="When is your id made: once for the program, or once for each request? And of what: do "
    "two requests at one moment differ in it?",
)
async def test_fresh_ids_are_unique(task: Task, clock: Clock) -> None:
    """Each request without an id gets one that no other has."""

    def id_of(answer: httpx.Response) -> str:
        return header_value(answer, ID_HEADER, exact=False)

    async with task.serve(env={"API_KEY": new_key(task)}) as client:
        # So many that an object's address, taken for an id, has come again.
        ids = [id_of(await client.get("/health")) for _ in range(30)]
        at_once = await asyncio.gather(*(client.get("/health") for _ in range(15)))
    ids += [id_of(answer) for answer in at_once]
    twice = [each for each in ids if ids.count(each) > 1]
    assert not twice, (
        f"{ids.count(twice[0])} of {len(ids)} requests got the {ID_HEADER} {twice[0]}; "
        "right is a fresh one each."
    )


@points(2, hint="Read one of your lines back with json.loads: is it JSON from end to end?")
async def test_each_request_leaves_a_line(task: Task, clock: Clock) -> None:
    """Each request leaves one JSON line that agrees with its answer."""
    key = new_key(task)
    flower = task.models.features()
    task.models.slow(SLOW_MODEL, MODEL_TIME)
    refused = f"/predict/{MODELS[0]}"
    # Whether fresh ids differ is another check's question: all requests but one bring their own.
    drawn = iter(range(task.draw.randrange(10**6), 10**7))

    def own_id(**headers: str) -> dict[str, str]:
        return {ID_HEADER: f"caller-{next(drawn)}", **headers}

    with_key = key_header(key)
    async with task.serve(env={"API_KEY": key}) as client:
        answers = [
            (await client.get("/health"), "/health"),
            (await client.get("/health?from=probe", headers=own_id()), "/health"),
            (await client.get("/", headers=own_id()), "/"),
            (await client.get("/docs", headers=own_id()), "/docs"),
            (await client.get("/models", headers=own_id()), "/models"),
            (await client.get("/nothing", headers=own_id(**with_key)), "/nothing"),
            (await client.put("/health", headers=own_id(**with_key)), "/health"),
            (
                await predict(client, MODELS[0], {"sepal_length": "abc"}, own_id(**with_key)),
                refused,
            ),
            # In JSON, a quotation mark of the caller's is written with a backslash.
            (
                await client.get("/health", headers={ID_HEADER: f'{key[-4:]} says "hello"'}),
                "/health",
            ),
            *[
                (await predict(client, each, flower, own_id(**with_key)), f"/predict/{each}")
                for each in MODELS
            ],
        ]
        header_value(answers[0][0], ID_HEADER, exact=False)  # /health at least is observed
        observed = [
            (_line_id(answer), answer, path)
            for answer, path in answers
            if not await _is_passed_over(client, answer)
        ]
        for returned_id, answer, path in observed:
            try:
                line = await wait_for_line(task, clock, returned_id, answer=answer, exact=True)
            except Hinted:
                raise
            except AssertionError:
                expect_lines_of_all(task, {each: answer for each, answer, _ in observed})
                raise
            expect_line_matches(line, answer, path)
            if is_close(took(answer), line_duration(line)):
                continue
            # A time that is wrong in the header as well is another check's question.
            alone = await ask_alone(task, clock, client, key)
            claimed = None if alone.time else _claimed_time(answer)
            with hinted(hint_for_time(took(answer), line_duration(line))):
                assert claimed is not None and is_close(claimed, line_duration(line)), (
                    f"{request_line(answer)} took {took(answer)}, but left the duration "
                    f"{line['duration']} in its line; right are the seconds, to a millisecond."
                )


def _line_id(answer: httpx.Response) -> str:
    """Return the id that a request's line should have."""
    if _lacks_id(answer):
        return answer.request.headers[ID_HEADER]
    return header_value(answer, ID_HEADER, exact=False)


def _claimed_time(answer: httpx.Response) -> Span | None:
    """Return the time that the answer claims to have taken, None if it is no number."""
    try:
        return process_time(answer)
    except AssertionError:
        return None


async def _is_passed_over(client: httpx.AsyncClient, answer: httpx.Response) -> bool:
    """Whether nothing observes such a request, with an id of its own or without.

    Another check asks for the headers of these answers, and no request of its own has an id.
    """
    if answer.status_code >= 500 or similar_header(answer, ID_HEADER):
        return False
    request = answer.request
    headers = {name: value for name, value in request.headers.items() if name != ID_HEADER.lower()}
    bare = client.build_request(
        request.method, request.url, headers=headers, content=request.content
    )
    return not similar_header(await client.send(bare), ID_HEADER)


@points(1, hint="Which lines of a function are left out when something in it raises?")
async def test_an_endpoint_that_raises_leaves_a_line(task: Task, clock: Clock) -> None:
    """A request whose endpoint raises leaves its line as well."""
    key = new_key(task)
    request_id = f"caller-{task.draw.getrandbits(32):08x}"
    model = "random_forest"
    task.models.fail(model)
    async with task.serve(env={"API_KEY": key}) as client:
        alone = await ask_alone(task, clock, client, key)
        answer = await predict(
            client, model, task.models.features(), {**key_header(key), ID_HEADER: request_id}
        )
        assert answer.status_code >= 500, (
            f"{request_line(answer)} answered {answer.status_code}, though the model raised an "
            "error; right is 500."
        )
        if alone.keeps_ids or "status" not in alone.keys:
            line = await wait_for_line(task, clock, request_id, answer=answer)
        else:
            found = await wait_for_lines_with_status(task, clock, answer.status_code, 1)
            assert found, (
                f"{request_line(answer)} answered {answer.status_code} and left no line with "
                "this status; right is one line for each request."
            )
            line = found[0]
        again = await predict(client, model, task.models.features(), key_header(key))
        failed = await wait_for_lines_with_status(task, clock, again.status_code, 2)
        others = [each for each in failed if each != line and each.get("id") != request_id]
    expect_line_matches(line, answer, f"/predict/{model}", alone.keys)
    assert "duration" not in alone.keys or is_close(took(answer), line_duration(line)), (
        f"{request_line(answer)} took {took(answer)}, but left the duration {line['duration']}; "
        "right are the seconds that it took until it failed."
    )
    if not {"id", "status"} <= alone.keys:
        return
    fresh = [each["id"] for each in others if each.get("id")]
    assert fresh and len(others) == len(fresh), (
        f"A second request, without an id of its own, failed as well, and left "
        f"{json.dumps(others) if others else 'no line'}; right is one line with a fresh id."
    )


@points(
    1,
    hint="Where does your code keep what belongs to one request while that waits, and who else can "
    "write there?",
)
async def test_concurrent_requests_keep_their_ids(task: Task, clock: Clock) -> None:
    """Requests at the same time mix neither their ids nor their times."""
    key = new_key(task)
    flower = task.models.features()
    async with task.serve(env={"API_KEY": key}) as client:
        alone = await ask_alone(task, clock, client, key)
        client.headers.update(key_header(key))
        sent = [
            (model, f"{model}-{number}-{task.draw.getrandbits(32):08x}")
            for number in range(3)
            for model in MODELS
        ]
        under_way = []
        for model, request_id in sent:
            under_way.append(
                asyncio.ensure_future(predict(client, model, flower, {ID_HEADER: request_id}))
            )
            await asyncio.sleep(1)
        answers = await asyncio.gather(*under_way)
        for answer, (_, request_id) in zip(answers, sent, strict=True):
            expect(answer, 200)
            returned_id = header_value(answer, ID_HEADER, exact=False)
            assert returned_id == request_id or not alone.keeps_ids, (
                f"{request_line(answer)} with {ID_HEADER}: {request_id} was answered with "
                f"{ID_HEADER}: {returned_id}, while others were under way; right is its own."
            )
            assert not alone.time or is_close(took(answer), process_time(answer)), (
                f"{request_line(answer)} took {took(answer)}, while others began and ended, but "
                f"its {TIME_HEADER} is {header_value(answer, TIME_HEADER)!r}; right are the "
                "seconds that it took itself."
            )
        # A caller may send something twice.
        same_id = {ID_HEADER: f"twice-{task.draw.getrandbits(32):08x}"}
        first = asyncio.ensure_future(predict(client, MODELS[1], flower, same_id))
        await asyncio.sleep(1)
        for answer in await asyncio.gather(first, predict(client, MODELS[1], flower, same_id)):
            expect(answer, 200)
            assert not alone.time or is_close(took(answer), process_time(answer)), (
                f"{request_line(answer)} took {took(answer)}, while another with the same "
                f"{ID_HEADER} was under way, but its {TIME_HEADER} is "
                f"{header_value(answer, TIME_HEADER)!r}; right are the seconds that it took itself."
            )
        returned = [header_value(answer, ID_HEADER, exact=False) for answer in answers]
        assert len({*returned}) == len(returned), (
            f"{len(returned)} requests at the same time got the ids {', '.join(returned)}; right "
            "is that each has its own."
        )
        if not alone.keys:
            return  # whether there are lines at all is another check's question
        for answer, (model, _), request_id in zip(answers, sent, returned, strict=True):
            line = await wait_for_line(task, clock, request_id)
            expect_line_matches(line, answer, f"/predict/{model}", alone.keys, by_key=False)
            assert "duration" not in alone.keys or is_close(took(answer), line_duration(line)), (
                f"{request_line(answer)} took {took(answer)}, while others began and ended, but "
                f"left the duration {line['duration']}; right are the seconds that it took itself."
            )
