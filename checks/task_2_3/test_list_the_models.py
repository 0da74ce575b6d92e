"""Checks of task 2.3: what GET /models says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.support.application import (
    expect_as_before,
    expect_endpoint,
    look_at_application,
)
from checks.support.http import body_excerpt, expect, json_body, request_line
from checks.support.predictions import MODELS
from checks.support.probe import unshown
from checks.support.startup import (
    expect_loaded,
    expect_loaded_once,
    loaded_models,
    wrong_list,
)
from checks.support.wording import joined
from ml_api_lab.check import Hinted, Task, points

if TYPE_CHECKING:
    import httpx

KEY = "available_models"
NOT_FILLED = (
    "Is your list made of the loaded models, anew for each request? One that is made at the import "
    "stays empty, as does one that is written as []."
)


@points(2, hint="What do you get when you go over a dict: its keys, its values, or both?")
async def test_models_answers_a_list_of_names(task: Task) -> None:
    """GET /models answers a list of names as available_models."""
    async with task.serve() as client:
        answer = await client.get("/models")
    if answer.status_code == 500:
        await _expect_encodable(task, answer)
    expect(answer, 200, is_tested=True)
    content = json_body(answer)
    if not isinstance(content, dict) or KEY not in content:
        raise Hinted(
            f"GET /models answered {content}; a JSON object with the key {KEY!r} is right.",
            "Which JSON does README.md show, from the first bracket to the last?",
        )
    names = content[KEY]
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        sentence = f"GET /models answered {json_body(answer)}; right is a list of names as {KEY}."
        hint = _hint_for_shape(names)
        raise Hinted(sentence, hint) if hint else AssertionError(sentence)
    await _expect_not_empty(task, answer)
    # Which of them, and how they are spelled, is another check's question.
    if not any(_names_a_model(name) for name in names):
        await _expect_both_listed(task, answer)


@points(2, hint="Where does each entry of your list come from?")
async def test_every_model_is_listed(task: Task) -> None:
    """GET /models lists both models, each once."""
    async with task.serve() as client:
        answer = await client.get("/models")
    if answer.status_code == 500 and await _lists_nothing_before_the_start(task):
        return  # it answers of what is loaded what is no JSON: another check's question
    expect(answer, 200)
    await _expect_not_empty(task, answer)
    await _expect_both_listed(task, answer)


@points(2, hint="When does your program read the two files? What does a request need to read?")
async def test_listing_loads_nothing(task: Task) -> None:
    """Both models are loaded when the application starts, and GET /models loads none."""
    async with task.serve() as client:
        at_start = loaded_models(task)
        await expect_loaded(task, at_start)
        answer = await client.get("/models")
        await expect_endpoint(task, answer)
        expect_loaded_once(task, answer)


@points(2, hint="Which variable knows what is loaded, and is your list made of that?")
async def test_nothing_is_listed_before_the_start(task: Task) -> None:
    """GET /models lists no model before the application has started."""
    async with task.serve(started=False) as client:
        early = await client.get("/models")
    # That a request loads none is another check's question.
    unloaded = [name for name in MODELS if name not in loaded_models(task)]
    listed_early = any(name in early.text for name in unloaded) or (
        len(unloaded) == len(MODELS) and any(map(_names_a_model, _listed(early)))
    )
    if early.status_code == 200 and listed_early:
        raise await _listed_too_early(task, early)
    async with task.serve() as client:
        answer = await client.get("/models")
    await expect_endpoint(task, answer)
    differ = (early.status_code, early.text) != (answer.status_code, answer.text)
    if not differ and len(unloaded) == len(MODELS):
        if _is_empty(answer):
            await _expect_not_empty(task, answer)
        sentence = (
            f"Before the start and after it, {request_line(answer)} answered the same, "
            f"{answer.text}; right is a list of what is loaded, after the start of both."
        )
        raise AssertionError(sentence)


@points(2, hint="Which endpoints did task 2.2 have?")
async def test_the_first_endpoints_carry_over(task: Task) -> None:
    """Beside /models, /health and / answer as before."""
    async with task.serve() as client:
        models = await client.get("/models")
        health, root = await client.get("/health"), await client.get("/")
    await expect_endpoint(task, models)
    await expect_as_before(task, health, {"status": "healthy"})
    await expect_as_before(task, root, {"message": "Hello World"})


def _hint_for_shape(names: object) -> str:
    """Return what to look at in what should be a list of names, "" for the check's own hint."""
    if isinstance(names, str):
        return "How does JSON write a list of two texts, and how one text with two names in it?"
    if isinstance(names, list) and all(isinstance(name, dict) for name in names):
        return "What is each element of your list: a name, or an object that holds one?"
    return ""


async def _expect_not_empty(task: Task, answer: httpx.Response) -> None:
    """Assert that there is something in the list, whether or not anything is loaded."""
    if not _is_empty(answer):
        return
    loaded = loaded_models(task)
    if not loaded:
        await expect_loaded(task, loaded)
    verb = "is" if len(loaded) == 1 else "are"
    raise Hinted(
        f"GET /models answered {json_body(answer)}, though {joined(loaded)} {verb} loaded; "
        f"right are {joined(list(MODELS))}.",
        NOT_FILLED,
    )


async def _expect_both_listed(task: Task, answer: httpx.Response) -> None:
    """Assert that the list has both names, each once, in whatever shape."""
    if sorted(_listed(answer)) != sorted(MODELS):
        raise await wrong_list(task, answer)


async def _expect_encodable(task: Task, answer: httpx.Response) -> None:
    """Assert that what the endpoint returned for this answer holds no model."""
    application = await look_at_application(task, path="/models")
    returned = application.returned if application is not None else ""
    if "stand-in for the model" in returned:
        raise Hinted(
            f"{request_line(answer)} answered {answer.status_code}: its function returned "
            f"{returned}, and a model is no JSON; right is a list of names as {KEY}.",
            "What do you get from a dict when you go over it, over its values(), or take it whole?",
        )


async def _listed_too_early(task: Task, early: httpx.Response) -> Hinted:
    """Return that models were listed before the start; say whether their files were looked for."""
    sentence = (
        f"Asked before the start, when no model is loaded, {request_line(early)} answered "
        f"{early.text}; right is a list of what is loaded, so far of nothing."
    )
    for name in MODELS:
        task.models.remove(name)
    with unshown(task):
        async with task.serve(started=False) as client:
            without_files = await client.get("/models")
    if without_files.text == early.text:
        return Hinted(
            f"{sentence} With both files gone, it answered the same.",
            "Is your list made of names in the code, written out or from MODEL_FILES? Which "
            "variable knows what is loaded?",
        )
    return Hinted(
        f"{sentence} With both files gone, it answered "
        f"{without_files.status_code}{body_excerpt(without_files)}.",
        "A file that is there may not be loaded. Which variable knows what is loaded?",
    )


def _is_empty(answer: httpx.Response) -> bool:
    """Whether the list is there, with nothing in it."""
    return answer.text.replace(" ", "") == f'{{"{KEY}":[]}}'


async def _lists_nothing_before_the_start(task: Task) -> bool:
    """Whether a list is answered before the start, with nothing in it."""
    async with task.serve(started=False) as client:
        early = await client.get("/models")
    return early.status_code == 200 and not _listed(early)


def _listed(answer: httpx.Response) -> list[str]:
    """Return the names in an answer, whatever shape they have: one check asks for the right one.

    A list under another key or none, objects with a name each, a dict by its names, and one text
    with all of them are read as well.
    """
    try:
        content = answer.json()
    except ValueError:
        content = answer.text
    if isinstance(content, dict):
        found = [each for each in content.values() if isinstance(each, list | dict | str)]
        content = content.get(KEY, found[0] if found else None)
    if isinstance(content, str):
        content = content.replace(",", " ").split()
    if not isinstance(content, list | dict):
        return []
    return [_name(each) for each in content]


def _name(entry: object) -> str:
    if isinstance(entry, dict):
        return str(entry.get("name", next(iter(entry.values()), None)))
    return str(entry)


def _names_a_model(text: str) -> bool:
    """Whether a text means one of the models, as the name of its file or class does."""
    return any(word in text.lower() for word in ("logistic", "forest"))
