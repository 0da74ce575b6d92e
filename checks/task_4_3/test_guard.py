"""Task 4.3: a middleware asks for the key, at every path that is not on its list."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from checks.support import prediction_log
from checks.support.api_keys import (
    DOORS,
    LIST_DOOR,
    NO_KEY,
    expect_denied,
    expect_denied_without_configured_key,
    expect_granted,
    expect_key_in_header_only,
    expect_key_not_leaked,
    expect_not_served,
    expect_shut,
    expect_wrong_keys_denied,
    key_header,
    knock,
    model_paths,
    new_key,
    shut_door,
    shut_doors,
)
from checks.support.http import body_excerpt, expect, is_close, request_line
from checks.support.predictions import (
    MODELS,
    expect_model_answer,
    hide_model_failures,
    predict,
)
from checks.support.wording import joined
from checks.task_4_3.paths import (
    DENIED_STATUSES,
    DOCS_PATHS,
    LOOKALIKES,
    OPEN_PATHS,
    expect_denied_status,
    expect_lookalike_denied,
    expect_refused,
    expect_unknown_denied,
    is_lookalike,
    paths_in_source,
    same_origin_headers,
)
from ml_api_lab.check import Clock, Hinted, StartFailed, Task, points, seconds, took

if TYPE_CHECKING:
    import httpx

METHODS = ("HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "POST")


@points(
    2,
    hint="Does the application know of your middleware? If so, which line lets a request pass, and "
    "under which condition?",
)
async def test_models_and_predictions_ask_for_the_key(task: Task, clock: Clock) -> None:
    """/models and /predict ask for the key."""
    key = new_key(task)
    flower = task.models.features()
    async with task.serve(env={"API_KEY": key}) as client:
        await _expect_doors_shut(task, client)
        for headers, because in (
            ({}, NO_KEY),
            (key_header(new_key(task)), "the key is wrong"),
            (
                same_origin_headers(client),
                f"{NO_KEY}, wherever it says that it comes from",
            ),
        ):
            answer = await client.get("/models", headers=headers)
            await expect_refused(client, answer, headers, because)
            for model in MODELS:
                answer = await predict(client, model, flower, headers)
                await expect_refused(client, answer, headers, because)
                if took(answer) != seconds(0):
                    raise Hinted(
                        f"{request_line(answer)} was refused after {took(answer)}; right is at "
                        "once.",
                        "When does your middleware look at the key: before call_next, or after it?",
                    )
        assert not task.models.calls, (
            "A request without the key was refused, but the model had been asked before; "
            "right is to ask no model."
        )
        await expect_key_in_header_only(client, key)
        expect_granted(await client.get("/models", headers=key_header(key)), "the key is right")


@points(1, hint="What is left to do for a middleware once the key is right?")
async def test_with_the_key_all_is_as_before(task: Task, clock: Clock) -> None:
    """With the key, here from .env, predictions come, and are logged, as before."""
    key = new_key(task)
    flower = task.models.features()
    model = "random_forest"
    prediction_log.reset(task)
    task.write_env(**model_paths(task), API_KEY=key)
    async with _serve_with_env_file(task) as client:
        # That both doors are shut is another check's question.
        door = await shut_door(client)
        await expect_shut(client, door)
        answer = await predict(client, model, flower, key_header(key))
        await _expect_key_to_open(client, key, answer)
        expect_model_answer(task, answer, model, flower)
        assert is_close(took(answer), seconds(3)), (
            f"{request_line(answer)} took {took(answer)}; right is 3 s, as without the middleware."
        )
        expect_not_served(
            await knock(client, door),
            f"{NO_KEY}, whoever has come in before",
            "What does your code remember of a request that had the key?",
        )
        await prediction_log.wait_for_predictions(task, clock, 1)
        prediction_log.expect_record(task, model, flower, task.models.answer(model, flower))
        for answer in await asyncio.gather(
            *(predict(client, model, flower, key_header(key)) for _ in range(3))
        ):
            assert is_close(took(answer), seconds(3)), (
                f"{request_line(answer)}, one of three at once, took {took(answer)}; "
                "right is 3 s, as without the middleware."
            )
        task.models.fail(model)
        failed = await predict(client, model, flower, key_header(key))
        if failed.status_code < 500:
            raise Hinted(
                f"{request_line(failed)} with the key answered {failed.status_code}, though the "
                "model raised an error; right is 500, as without the middleware.",
                "Which exceptions does your middleware catch, and what does it make of them?",
            )


@points(1, hint="Does your list say who needs a key, or who needs none?")
async def test_unknown_paths_ask_for_the_key(task: Task, clock: Clock) -> None:
    """A path that does not exist asks for the key as well."""
    key = new_key(task)
    async with task.serve(env={"API_KEY": key}) as client:
        files = ("/favicon.ico", "/static/style.css", "/data.json")
        others = [each for each in paths_in_source(task) if not is_lookalike(each)]
        unknown = [*dict.fromkeys(("/nothing", "/admin/users", "/predict", *files, *others))]
        for path in unknown:
            answer = await client.get(path)
            if answer.status_code not in DENIED_STATUSES and await shut_doors(client) == [*DOORS]:
                # Whoever guards nothing at all is told the same by every check.
                await expect_shut(client, LIST_DOOR)
            await expect_unknown_denied(client, answer, unknown)
        for path in ("/models", "/nothing"):
            answers = [await client.request(each, path) for each in METHODS]
            let_in = [each for each in answers if each.status_code not in DENIED_STATUSES]
            if let_in:
                methods = joined([each.request.method for each in let_in])
                expect_denied_status(
                    let_in[0],
                    f"{NO_KEY}. Your code lets {methods} through without one",
                    "For which methods does your middleware ask for the key?",
                )
        answer = await client.get("/nothing", headers=key_header(key))
        await _expect_key_to_open(client, key, answer)
        expect(answer, 404, because="the key is right, and there is nothing")


@points(1, hint="Which paths does a browser ask for when it shows /docs?")
async def test_the_listed_doors_stay_open(task: Task, clock: Clock) -> None:
    """The five listed paths need no key."""
    async with task.serve(env={"API_KEY": new_key(task)}) as client:
        for path in OPEN_PATHS:
            hint = "" if path in DOCS_PATHS else "Is this path on your list, letter by letter?"
            _expect_open(await client.get(path), "that is open to everyone", hint)
        _expect_open(
            await client.get("/health?from=probe"),
            "a query changes no path",
            "Which part of the address does your code compare: with its query, or without?",
        )
        for path in ("/health", "/docs"):
            _expect_open(
                await client.get(path, headers=key_header("wrong")),
                "that is open to everyone, whatever key they carry",
                "What does your middleware look at first: the path, or the key?",
            )
        await expect_shut(client, await shut_door(client))


@points(
    2, hint="How equal to a listed path must a path be, for your comparison and for the router?"
)
async def test_lookalikes_stay_shut(task: Task, clock: Clock) -> None:
    """A path that only looks like an open one stays shut."""
    async with task.serve(env={"API_KEY": new_key(task)}) as client:
        await expect_shut(client, await shut_door(client))
        # Whether /models and unknown paths are shut themselves is another check's question.
        unknown, listed = await client.get("/nothing"), await client.get("/models")
        for path in (*LOOKALIKES, *filter(is_lookalike, paths_in_source(task))):
            answer = await client.get("/", extensions={"target": path.encode()})
            is_redirect = answer.status_code == 307  # to an address without its last slash
            is_unknown = is_redirect or answer.text == unknown.text
            is_listed = answer.status_code == 200 and answer.text == listed.text
            # Of its own FastAPI serves more than the listed paths; who guards no unknown path has
            # no list of the open ones.
            is_unknown |= path == "/docs/oauth2-redirect" and answer.status_code == 200
            if not ((is_unknown and unknown.status_code == 404) or is_listed):
                await expect_lookalike_denied(client, answer)
        # Which of them are open is another check's question, too.
        is_open = [(await client.get(path)).status_code == 200 for path in OPEN_PATHS]
        because = "that their lookalikes are shut counts only if listed paths are open themselves"
        if not any(is_open):
            expect(await client.get("/health"), 200, because=because)


@points(
    1,
    hint="Who turns an HTTPException into an answer: somebody inside the middleware, or around it?",
)
async def test_a_refusal_is_an_answer(task: Task, clock: Clock) -> None:
    """A refusal is JSON with a detail, whatever the key looks like."""
    key = new_key(task)
    async with task.serve(env={"API_KEY": key}) as client:
        # That both doors are shut, and all other paths, are other checks' questions.
        door = await shut_door(client)
        await expect_shut(client, door)
        expect_denied(await knock(client, door), NO_KEY)
        browser = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
        answer = await knock(client, door, browser)
        expect_denied(answer, f"{NO_KEY}, also to a browser")
        await expect_wrong_keys_denied(client, task, key)
        expect_denied(await predict(client, MODELS[0], {"sepal_length": "abc"}), NO_KEY)
        for method, path in (("GET", "/nothing"), ("PUT", "/models")):
            answer = await client.request(method, path)
            if answer.status_code not in (404, 405):
                expect_denied(answer, NO_KEY)


@points(1, hint="What do you compare with what when there is neither an API_KEY nor a header?")
async def test_no_key_opens_no_door(task: Task, clock: Clock) -> None:
    """An unset or empty API_KEY never opens the door."""
    key = new_key(task)
    async with task.serve(env={"API_KEY": key}) as client:
        doors = await shut_doors(client)
        await expect_shut(client, doors[0])
        expect_granted(await knock(client, doors[0], key_header(key)), "the key is right")
    await expect_denied_without_configured_key(task, doors)


@points(1, hint="Where do you print what you have read, or tell the caller what you expected?")
async def test_the_key_is_told_to_nobody(task: Task, clock: Clock) -> None:
    """The key appears in no answer and no output."""
    key = new_key(task)
    async with task.serve(env={"API_KEY": key}) as client:
        door = await shut_door(client)
        await expect_shut(client, door)
        refused = await knock(client, door)
        answers = [
            *[await client.get(path) for path in OPEN_PATHS],
            await client.get("/models"),
            await client.get("/models", headers=key_header("wrong")),
            await client.get("/models", headers=key_header(key)),
            await predict(client, MODELS[0], task.models.features(), key_header(key)),
            await predict(client, MODELS[0], {"sepal_length": "abc"}, key_header(key)),
            await client.get("/nothing", headers=key_header(key)),
            await client.delete("/models", headers=key_header(key)),
        ]
        answers.append(refused)
        task.models.fail(MODELS[0])
        answers.append(await predict(client, MODELS[0], task.models.features(), key_header(key)))
        await asyncio.sleep(6)  # what works behind the answers may tell it as well
    hide_model_failures(task)
    served = answers[len(OPEN_PATHS) + 2]
    expect_denied_status(refused, NO_KEY)
    expect_granted(served, "the key is right")
    expect_key_not_leaked(task, key, answers)


@contextlib.asynccontextmanager
async def _serve_with_env_file(task: Task) -> AsyncIterator[httpx.AsyncClient]:
    """Serve the application with the key in .env alone, of which the check's hint says nothing."""
    try:
        async with task.serve() as client:
            yield client
    except StartFailed as failed:
        if failed.is_slip:
            raise
        raise Hinted(
            str(failed),
            "The key stands in .env here. When is that file read, and when is API_KEY looked up?",
        ) from None


async def _expect_doors_shut(task: Task, client: httpx.AsyncClient) -> None:
    """Assert that both doors are shut without a key; tell one door from all of them."""
    shut = [door for door in DOORS if (await knock(client, door)).status_code >= 400]
    for door in DOORS:
        if door not in shut and shut:
            (other,) = {*DOORS} - {door}
            expect_not_served(
                await knock(client, door),
                f"{NO_KEY}; at {other} such a request is refused",
                "Which paths does your middleware guard: those that you have named, or all but "
                "the open ones?",
            )
        try:
            await expect_shut(client, door)
        except Hinted:
            raise
        except AssertionError as error:
            raise Hinted(str(error), await _hint_where_all_is_open(task, client)) from None


async def _hint_where_all_is_open(task: Task, client: httpx.AsyncClient) -> str:
    """Return what to look at, by whether an endpoint's error passes through a middleware."""
    before = len(task.transcript.raised)
    task.models.fail(MODELS[0])
    await predict(client, MODELS[0], task.models.features())
    task.models.recover(MODELS[0])
    places = [frames for each in task.transcript.raised[before:] if (frames := each.frames[:-1])]
    hide_model_failures(task)
    if places:
        return (
            f"Your middleware runs, and passes the request on (at {places[0][0]}). Which condition "
            "lets each path pass: with which of the open paths does every path begin?"
        )
    return (
        "Nothing of yours stands between a request and its endpoint. Which line gives your "
        "middleware to the application?"
    )


async def _expect_key_to_open(client: httpx.AsyncClient, key: str, answer: httpx.Response) -> None:
    """Assert that a refusal in spite of the key is not one that /models gives as well."""
    if answer.status_code in (401, 403):
        expect_granted(await client.get("/models", headers=key_header(key)), "the key is right")


def _expect_open(answer: httpx.Response, because: str, hint: str) -> None:
    if answer.status_code in (401, 403) and hint:
        raise Hinted(
            f"{request_line(answer)} answered {answer.status_code}{body_excerpt(answer)}; "
            f"right is 200, because {because}.",
            hint,
        )
    expect(answer, 200, because=because)
