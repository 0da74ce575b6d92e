"""Task 4.2: a dependency asks for the key."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from checks.support.api_keys import (
    DOORS,
    HEADER,
    NO_KEY,
    PREDICT_DOOR,
    any_key_opens,
    expect_denied,
    expect_denied_without_configured_key,
    expect_granted,
    expect_key_in_header_only,
    expect_key_not_leaked,
    expect_not_served,
    expect_shut,
    expect_wrong_key_refused,
    expect_wrong_keys_denied,
    key_header,
    key_in_both_places,
    knock,
    model_paths,
    new_key,
    shut_doors,
)
from checks.support.http import body_excerpt, expect, json_body, request_line
from checks.support.predictions import (
    MODELS,
    expect_model_answer,
    hide_model_failures,
    predict,
)
from checks.support.probe import unshown
from checks.support.wording import joined
from ml_api_lab.check import Clock, Hinted, Task, points, seconds, took

if TYPE_CHECKING:
    import httpx

OPEN_PATHS = ("/health", "/", "/docs", "/openapi.json")
WRONG_STATUS = "Which status does your code give to who has no key, or a wrong one?"


@points(
    2,
    hint="A dependency does nothing until a route, a router or the app names it. Does each, and "
    "does it raise a 401 with a detail?",
)
async def test_models_and_predictions_ask_for_the_key(task: Task, clock: Clock) -> None:
    """/models and /predict ask for the key."""
    key = new_key(task)
    flower = task.models.features()
    async with task.serve(env=key_in_both_places(task, key)) as client:
        await expect_shut(client, (await shut_doors(client))[0])
        for headers, because in (
            ({}, NO_KEY),
            (key_header(new_key(task)), "the key is wrong"),
        ):
            listed = await client.get("/models", headers=headers)
            predicted = await asyncio.gather(
                *(predict(client, model, flower, headers) for model in MODELS)
            )
            for answer in (listed, *predicted):
                if answer.is_success:
                    raise await open_door(task, client, answer, because)
                expect_denied(answer, because, hint=WRONG_STATUS)
        await expect_key_in_header_only(client, key)
        answer = await client.get("/models?from=/health")
        expect_denied(
            answer,
            f"{NO_KEY}, whatever open door its query names",
            hint="In which part of the URL does your code look for the path?",
        )
        browser = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
        answer = await client.get("/models", headers=browser)
        expect_denied(answer, f"{NO_KEY}, also to a browser")
        listed = await client.get("/models", headers=key_header(key))
        expect_granted(listed, f"the {HEADER} that it carries is right")
        for model in MODELS:
            answer = await predict(client, model, flower, key_header(key))
            expect_granted(answer, f"the {HEADER} that it carries is right")
            expect_model_answer(task, answer, model, flower, exact=True)
        expect_denied(
            await client.get("/models"),
            f"{NO_KEY}, whoever has come in before",
            hint="What does your code remember of the requests that came before?",
        )


async def open_door(
    task: Task, client: httpx.AsyncClient, response: httpx.Response, because: str
) -> Hinted:
    """Return the error of a request that got in: what else gets in there, and at the other door."""
    path = response.request.url.path
    if because != NO_KEY and path == DOORS[0]:
        return any_key_opens(response)
    opens = {}
    with_wrong_key = key_header("any-wrong-key")
    with unshown(task):
        for door in DOORS:
            without, wrong = await knock(client, door), await knock(client, door, with_wrong_key)
            opens[door] = (without.is_success, wrong.is_success)
    names = {
        (True, True): "open without a key and with a wrong one",
        (True, False): "open without a key, and refuses a wrong one",
        (False, True): "open to a wrong key, and refuses a request without one",
        (False, False): "shut without a key and to a wrong one",
    }
    told = "; ".join(f"{door} is {names[opens[door]]}" for door in DOORS)
    if (False, False) in opens.values():
        hint = "A dependency guards only the routes that name it. Does this route?"
    elif because == NO_KEY:
        hint = "What does your code do with a request in which the header is missing?"
    else:
        hint = "Does your code compare the key that it finds with API_KEY, and how?"
    return Hinted(
        f"{request_line(response)} answered {response.status_code}; right is 401 or 403, because "
        f"{because}. {told}.",
        hint,
    )


@points(1, hint="Is the dependency on more than the routes that are worth guarding?")
async def test_the_other_doors_stay_open(task: Task, clock: Clock) -> None:
    """/health, / and /docs need no key."""
    async with task.serve(env={"API_KEY": new_key(task)}) as client:
        for path in OPEN_PATHS:
            answer = await client.get(path)
            if answer.status_code in (401, 403):
                raise await shut_path(task, client, answer, "that is open to everyone")
            expect(answer, 200, because="that is open to everyone")
        wrong = await client.get("/health", headers=key_header("wrong"))
        if wrong.status_code in (401, 403):
            raise await shut_path(
                task, client, wrong, "that is open to everyone, whatever key they carry"
            )
        expect(wrong, 200, because="that is open to everyone, whatever key they carry")
        door = (await shut_doors(client))[0]
        # That others are open counts only once this is shut.
        await expect_shut(client, door)


async def shut_path(
    task: Task, client: httpx.AsyncClient, response: httpx.Response, because: str
) -> Hinted:
    """Return the error of a path that should be open: which of the others are."""
    asked = response.request.url.path
    key = response.request.headers.get(HEADER)
    headers = key_header(key) if key else {}
    others = [path for path in OPEN_PATHS if path != asked]
    with unshown(task):
        shut = [
            path
            for path in others
            if (await client.get(path, headers=headers)).status_code in (401, 403)
        ]
    left_open = [path for path in others if path not in shut]
    told = (
        [f"{joined(left_open)} {'is' if len(left_open) == 1 else 'are'} open"] if left_open else []
    )
    told += [f"{joined(shut)} {'is' if len(shut) == 1 else 'are'} not"] if shut else []
    return Hinted(
        f"{request_line(response)} answered {response.status_code}{body_excerpt(response)}; right "
        f"is 200, because {because}. {', '.join(told)}.",
        "On what is your dependency: on the app, a router, or each route? Which of them has "
        f"{asked}?",
    )


@points(
    1, hint="What does FastAPI look at first: the body of a request, or what its route depends on?"
)
async def test_the_key_comes_first(task: Task, clock: Clock) -> None:
    """Without the right key nothing else is looked at."""
    bodies = (task.models.features(), {"sepal_length": "abc", "petal_width": -1})
    async with task.serve(env={"API_KEY": new_key(task)}) as client:
        doors = await shut_doors(client)
        await expect_shut(client, doors[0])
        usual = await knock(client, doors[0])
        if PREDICT_DOOR not in doors:
            return  # that predictions ask for the key is another check's question
        for headers, why in (({}, NO_KEY), (key_header(new_key(task)), "the key is wrong")):
            for model, body, whatever in (
                *(("random_forest", body, "whatever its fields hold") for body in bodies),
                ("no_such_model", bodies[0], "whether there is such a model or not"),
            ):
                answer = await predict(client, model, body, headers)
                if answer.is_success and headers:
                    await expect_wrong_key_refused(client, doors[0])
                expect_denied(answer, f"{why}, {whatever}", usual=usual)
                if took(answer) != seconds(0):
                    raise await refused_late(task, client, answer, why)
    assert not task.models.calls, (
        "A request without the key was refused, but the model had been asked before; "
        "right is to ask no model."
    )


async def refused_late(
    task: Task, client: httpx.AsyncClient, response: httpx.Response, why: str
) -> Hinted:
    """Return the error of a refusal that waits: which others wait, and which do not."""
    wrong_key = key_header("any-wrong-key")
    with unshown(task):
        waits = {
            "GET /models with a wrong key": took(await knock(client, DOORS[0], wrong_key)),
            "a prediction with a wrong key": took(await knock(client, PREDICT_DOOR, wrong_key)),
            "one without a key": took(await knock(client, PREDICT_DOOR)),
        }
    told = joined([f"{what} after {wait}" for what, wait in waits.items()])
    return Hinted(
        f"{request_line(response)} was refused after {took(response)}; right is at once, because "
        f"{why}. Also refused: {told}.",
        "For what does your dependency wait before it refuses?"
        if waits["GET /models with a wrong key"] > seconds(0)
        else "Where is the key of a prediction looked at: before the endpoint begins, or in it?",
    )


@points(
    1, hint="Who reads .env into the environment, and does that happen before you ask for API_KEY?"
)
async def test_the_key_is_read_from_both_places(task: Task, clock: Clock) -> None:
    """The key comes from .env, or from the environment, which wins."""
    in_file, in_environment = new_key(task), new_key(task)
    task.write_env(**model_paths(task), API_KEY=in_file)
    for env, right, wrong, where in (
        ({}, in_file, in_environment, "in .env"),
        (
            {"API_KEY": in_environment},
            in_environment,
            in_file,
            "in the environment, which wins over .env",
        ),
    ):
        async with task.serve(env=env) as client:
            door = (await shut_doors(client))[0]
            # The wrong one first: that nobody is let in for ever is another check's question.
            refused = await knock(client, door, key_header(wrong))
            answer = await knock(client, door, key_header(right))
            because = f"it carries {right}, the key {where}"
            if refused.is_success:
                await expect_wrong_key_refused(client, door)
                if env and not answer.is_success:
                    raise Hinted(
                        f"{request_line(answer)} answered {answer.status_code}; right is 200, "
                        f"because {because}. The key in .env opens it instead.",
                        "Which of the two places does your code ask first, and which one does "
                        "load_dotenv leave as it is?",
                    )
            expect(answer, 200, because=because)
            expect_not_served(refused, f"it carries {wrong}, and the key {where} is {right}")


@points(2, hint="What do you compare with what when there is neither an API_KEY nor a header?")
async def test_no_key_opens_no_door(task: Task, clock: Clock) -> None:
    """An unset or empty API_KEY never opens the door."""
    key = new_key(task)
    async with task.serve(env=key_in_both_places(task, key)) as client:
        doors = await shut_doors(client)
        await expect_shut(client, doors[0])
        answer = await knock(client, doors[0], key_header(key))
        expect_granted(answer, f"the {HEADER} that it carries is right")
    await expect_denied_without_configured_key(task, doors)


@points(
    1,
    hint="Is the whole key compared, just as it came? And what does secrets.compare_digest say to "
    "an umlaut?",
)
async def test_a_strange_key_is_just_wrong(task: Task, clock: Clock) -> None:
    """Near misses and keys of strange characters are refused like any other."""
    key = new_key(task)
    async with task.serve(env={"API_KEY": key}) as client:
        await expect_wrong_keys_denied(client, task, key)


@points(1, hint="Which class of fastapi.security describes a key in a header?")
async def test_the_docs_know_the_scheme(task: Task, clock: Clock) -> None:
    """/docs has an Authorize button for the key."""
    key = new_key(task)
    async with task.serve(env={"API_KEY": key}) as client:
        # With the key: whether this path asks for it is not the matter here.
        answer = await client.get("/openapi.json", headers=key_header(key))
    expect(answer, 200)
    schemes = json_body(answer).get("components", {}).get("securitySchemes", {})
    found = [
        each
        for each in schemes.values()
        if (each.get("type"), each.get("in")) == ("apiKey", "header")
        and str(each.get("name")).lower() == HEADER.lower()
    ]
    has = f"the security schemes {schemes}" if schemes else "no security scheme"
    if not found:
        is_other_header = any(each.get("in") == "header" for each in schemes.values())
        raise Hinted(
            f"/openapi.json has {has}; "
            f"right is an apiKey in the header {HEADER}, which gives /docs its Authorize button.",
            "Which header does your scheme name, letter by letter?"
            if is_other_header
            else "Which class of fastapi.security describes a key in a header? And does a route "
            "depend on an object of it?",
        )


@points(1, hint="Where do you print what you have read, or tell the caller what you expected?")
async def test_the_key_is_told_to_nobody(task: Task, clock: Clock) -> None:
    """The key appears in no answer and no output."""
    key = new_key(task)
    flower = task.models.features()
    async with task.serve(env={"API_KEY": key}) as client:
        answers = [
            *[await client.get(path) for path in ("/", "/health", "/docs", "/openapi.json")],
            await client.get("/models"),
            await client.get("/models", headers=key_header("wrong")),
            await client.get("/models", headers=key_header(key)),
            await predict(client, MODELS[0], flower, key_header(key)),
            await predict(client, MODELS[0], {"sepal_length": "abc"}, key_header(key)),
            await predict(client, "no_such_model", flower, key_header(key)),
            await client.get("/nothing", headers=key_header(key)),
            await client.delete("/models", headers=key_header(key)),
        ]
        unasked = await predict(client, MODELS[0], flower)
        answers.append(unasked)
        task.models.fail(MODELS[0])
        answers.append(await predict(client, MODELS[0], flower, key_header(key)))
        await asyncio.sleep(6)  # what works behind the answers may tell it as well
        hide_model_failures(task)
        if answers[4].is_success and unasked.is_success:
            await expect_shut(client, DOORS[0])
    expect_not_served(max(answers[4], unasked, key=lambda each: each.status_code), NO_KEY)
    expect_key_not_leaked(task, key, answers)
