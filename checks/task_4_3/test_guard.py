"""Task 4.3: a middleware asks for the key, at every path that is not on its list."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

from checks.support import prediction_log
from checks.support.api_keys import (
    NO_KEY,
    expect_denied,
    expect_denied_without_configured_key,
    expect_granted,
    expect_key_in_header_only,
    expect_key_not_leaked,
    expect_not_served,
    expect_wrong_keys_denied,
    key_header,
    knock,
    model_paths,
    new_key,
    shut_door,
    shut_doors,
    source_constants,
)
from checks.support.http import body_excerpt, expect, is_close, request_line
from checks.support.predictions import MODELS, expect_prediction, predict
from ml_api_lab.check import Clock, Task, points, seconds, took

if TYPE_CHECKING:
    import httpx

OPEN_PATHS = ("/", "/health", "/docs", "/redoc", "/openapi.json")
# A refusal that is raised in a middleware becomes a 500; one check says so, the others let it pass.
DENIED_STATUSES = (401, 403, 500)


@points(
    2,
    hint="Does the application know of your middleware? And what does that do with a path that is "
    "not on its list, before it calls call_next?",
)
async def test_models_and_predictions_ask_for_the_key(task: Task, clock: Clock) -> None:
    """/models and /predict ask for the key."""
    key = new_key(task)
    flower = task.models.features()
    async with task.serve(env={"API_KEY": key}) as client:
        for headers, because in (
            ({}, NO_KEY),
            (key_header(new_key(task)), "the key is wrong"),
            (_same_origin_headers(client), f"{NO_KEY}, wherever it says that it comes from"),
        ):
            expect_not_served(await client.get("/models", headers=headers), because)
            for model in MODELS:
                answer = await predict(client, model, flower, headers)
                expect_not_served(answer, because)
                assert took(answer) == seconds(0), (
                    f"{request_line(answer)} was refused after {took(answer)}; right is at once."
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
    async with task.serve() as client:
        # That both doors are shut is another check's question.
        door = await shut_door(client)
        expect_not_served(await knock(client, door), NO_KEY)
        answer = await predict(client, model, flower, key_header(key))
        expect_prediction(answer, model, task.models.answer(model, flower))
        assert is_close(took(answer), seconds(3)), (
            f"{request_line(answer)} took {took(answer)}; right is 3 s, as without the middleware."
        )
        expect_not_served(await knock(client, door), f"{NO_KEY}, whoever has come in before")
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
        assert failed.status_code >= 500, (
            f"{request_line(failed)} with the key answered {failed.status_code}, though the model "
            "raised an error; right is 500, as without the middleware."
        )


@points(1, hint="Does your list say who needs a key, or who needs none?")
async def test_unknown_paths_ask_for_the_key(task: Task, clock: Clock) -> None:
    """A path that does not exist asks for the key as well."""
    key = new_key(task)
    async with task.serve(env={"API_KEY": key}) as client:
        files = ("/favicon.ico", "/static/style.css", "/data.json")
        others = [each for each in _paths_in_source(task) if not _is_lookalike(each)]
        for path in ("/nothing", "/admin/users", "/predict", *files, *others):
            answer = await client.get(path)
            _expect_denied_status(answer, f"{NO_KEY}, and only the listed paths are open")
        for method in ("HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "POST"):
            for path in ("/models", "/nothing"):
                answer = await client.request(method, path)
                _expect_denied_status(answer, f"{NO_KEY}, and {method} opens no path")
        answer = await client.get("/nothing", headers=key_header(key))
        expect(answer, 404, because="the key is right, and there is nothing")


@points(1, hint="Which paths does a browser ask for when it shows /docs?")
async def test_the_listed_doors_stay_open(task: Task, clock: Clock) -> None:
    """The five listed paths need no key."""
    async with task.serve(env={"API_KEY": new_key(task)}) as client:
        for path in OPEN_PATHS:
            expect(await client.get(path), 200, because="that is open to everyone")
        expect(await client.get("/health?from=probe"), 200, because="a query changes no path")
        for path in ("/health", "/docs"):
            wrong = await client.get(path, headers=key_header("wrong"))
            expect(wrong, 200, because="that is open to everyone, whatever key they carry")
        expect_not_served(await knock(client, await shut_door(client)), NO_KEY)


@points(
    2, hint="How equal to a listed path must a path be, for your comparison and for the router?"
)
async def test_lookalikes_stay_shut(task: Task, clock: Clock) -> None:
    """A path that only looks like an open one stays shut."""
    lookalikes = (
        "/healthXYZ",
        "/docs-private",
        "/redoc/secret",
        "/openapi.json.bak",
        "/openapiXjson",
        "/health;models",
        "/health%20",
        "/health%00",
        "//models",
        "/docs/../models",
        "/health/../models",
        "/docs/..//models",
        "/models?path=/health",
        "/models?/docs",
        "/%6dodels",
        "/docs%2f..%2fmodels",
        "/health/",
        "/Health",
        "/models/",
        "/predict/health",
        "/docs/oauth2-redirect",
        "/h",
        "/doc",
        "/openapi",
        "//health",
        "/nothing/../health",
        "/%2568ealth",
    )
    async with task.serve(env={"API_KEY": new_key(task)}) as client:
        expect_not_served(await knock(client, await shut_door(client)), NO_KEY)
        # Whether /models and unknown paths are shut themselves is another check's question.
        unknown, listed = await client.get("/nothing"), await client.get("/models")
        for path in (*lookalikes, *filter(_is_lookalike, _paths_in_source(task))):
            answer = await client.get("/", extensions={"target": path.encode()})
            is_redirect = answer.status_code == 307  # to an address without its last slash
            is_unknown = is_redirect or answer.text == unknown.text
            is_listed = answer.status_code == 200 and answer.text == listed.text
            if not ((is_unknown and unknown.status_code == 404) or is_listed):
                _expect_denied_status(answer, f"{NO_KEY}, and it is none of the listed paths")
        # Which of them are open is another check's question, too.
        is_open = [(await client.get(path)).status_code == 200 for path in OPEN_PATHS]
        because = "that their lookalikes are shut counts only if listed paths are open themselves"
        if not any(is_open):
            expect(await client.get("/health"), 200, because=because)


@points(
    1,
    hint="Who turns an HTTPException into an answer: somebody inside the middleware, or around it? "
    "And is the whole key compared, just as it came?",
)
async def test_a_refusal_is_an_answer(task: Task, clock: Clock) -> None:
    """A refusal is JSON with a detail, whatever the key looks like."""
    key = new_key(task)
    async with task.serve(env={"API_KEY": key}) as client:
        # That both doors are shut, and all other paths, are other checks' questions.
        door = await shut_door(client)
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
        expect_not_served(await knock(client, doors[0]), NO_KEY)
        expect_granted(await knock(client, doors[0], key_header(key)), "the key is right")
    await expect_denied_without_configured_key(task, doors)


@points(1, hint="Where do you print what you have read, or tell the caller what you expected?")
async def test_the_key_is_told_to_nobody(task: Task, clock: Clock) -> None:
    """The key appears in no answer and no output."""
    key = new_key(task)
    async with task.serve(env={"API_KEY": key}) as client:
        refused = await knock(client, await shut_door(client))
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
    served = answers[len(OPEN_PATHS) + 2]
    _expect_denied_status(refused, NO_KEY)
    expect_granted(served, "the key is right")
    expect_key_not_leaked(task, key, answers)


def _paths_in_source(task: Task) -> list[str]:
    """Return what the code has for a path, and may have on its list, without the listed ones."""
    paths = {each for each in source_constants(task) if re.fullmatch(r"/[\w./-]+", each)}
    return sorted(paths - {*OPEN_PATHS})


def _is_lookalike(path: str) -> bool:
    return path.startswith(OPEN_PATHS[1:])


def _same_origin_headers(client: httpx.AsyncClient) -> dict[str, str]:
    """Return what a browser sends with what somebody tries out on the docs' page, and more."""
    return {
        "Referer": str(client.base_url.join("/docs")),
        "Origin": str(client.base_url),
        "Sec-Fetch-Site": "same-origin",
        "X-Forwarded-For": "127.0.0.1",
        "X-Real-IP": "127.0.0.1",
    }


def _expect_denied_status(answer: httpx.Response, because: str) -> None:
    assert answer.status_code in DENIED_STATUSES, (
        f"{request_line(answer)} answered {answer.status_code}{body_excerpt(answer)}; "
        f"right is 401 or 403, because {because}."
    )
