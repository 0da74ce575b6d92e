"""Checks of task 2.3: what GET /models says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.support.http import (
    expect,
    expect_json,
    json_body,
    json_field,
    request_line,
    routing_hint,
)
from checks.support.predictions import MODELS
from checks.support.startup import (
    expect_loaded,
    expect_loaded_once,
    joined,
    loaded_models,
)
from ml_api_lab.check import Hinted, Task, points

if TYPE_CHECKING:
    import httpx

KEY = "available_models"
NOT_FILLED = (
    "Where does your list come from, and when is it made? While the file is imported, no model is "
    "loaded yet."
)


@points(2, hint="What do you get when you go over a dict: its keys, its values, or both?")
async def test_models_answers_a_list_of_names(task: Task) -> None:
    """GET /models answers a list of names as available_models."""
    async with task.serve() as client:
        answer = await client.get("/models")
    expect(answer, 200, is_tested=True)
    names = json_field(answer, KEY)
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        sentence = f"GET /models answered {json_body(answer)}; right is a list of names as {KEY}."
        hint = _hint_for_shape(names)
        raise Hinted(sentence, hint) if hint else AssertionError(sentence)
    _expect_not_empty(task, answer)
    # Which of them, and how they are spelled, is another check's question.
    assert any(_names_a_model(name) for name in names), (
        f"GET /models answered {json_body(answer)}, which names no model; "
        f"right are {joined(list(MODELS))}."
    )


@points(2, hint="Under which names has the lifespan stored the models?")
async def test_every_model_is_listed(task: Task) -> None:
    """GET /models lists both models, each once."""
    async with task.serve() as client:
        answer = await client.get("/models")
    if answer.status_code == 500 and await _lists_nothing_before_the_start(task):
        return  # it answers of what is loaded what is no JSON: another check's question
    expect(answer, 200)
    _expect_not_empty(task, answer)
    assert sorted(_listed(answer)) == sorted(MODELS), (
        f"GET /models answered {json_body(answer)}; right are {joined(list(MODELS))}, each once."
    )


@points(2, hint="When does your program read the two files? What does a request need to read?")
async def test_listing_loads_nothing(task: Task) -> None:
    """Both models are loaded when the application starts, and GET /models loads none."""
    async with task.serve() as client:
        expect_loaded(task)
        answer = await client.get("/models")
        _expect_endpoint(answer)
        expect_loaded_once(task, answer)


@points(2, hint="Which variable knows what is loaded, and what is in it before the lifespan runs?")
async def test_nothing_is_listed_before_the_start(task: Task) -> None:
    """GET /models lists no model before the application has started."""
    async with task.serve(started=False) as client:
        early = await client.get("/models")
    # That a request loads none is another check's question.
    unloaded = [name for name in MODELS if name not in loaded_models(task)]
    listed_early = any(name in early.text for name in unloaded) or (
        len(unloaded) == len(MODELS) and any(map(_names_a_model, _listed(early)))
    )
    assert early.status_code != 200 or not listed_early, (
        f"Asked before the start, when no model is loaded, {request_line(early)} answered "
        f"{early.text}; right is a list of what is loaded, so far of nothing."
    )
    async with task.serve() as client:
        answer = await client.get("/models")
    _expect_endpoint(answer)
    differ = (early.status_code, early.text) != (answer.status_code, answer.text)
    if not differ and len(unloaded) == len(MODELS):
        sentence = (
            f"Before the start and after it, {request_line(answer)} answered the same, "
            f"{answer.text}; right is a list of what is loaded, after the start of both."
        )
        is_unfilled = _is_empty(answer) and bool(loaded_models(task))
        raise Hinted(sentence, NOT_FILLED) if is_unfilled else AssertionError(sentence)


@points(2, hint="Which endpoints did task 2.2 have?")
async def test_the_first_endpoints_carry_over(task: Task) -> None:
    """Beside /models, /health and / answer as before."""
    async with task.serve() as client:
        _expect_endpoint(await client.get("/models"))
        expect_json(await client.get("/health"), {"status": "healthy"})
        expect_json(await client.get("/"), {"message": "Hello World"})


def _hint_for_shape(names: object) -> str:
    """Return what to look at in what should be a list of names, "" for the check's own hint."""
    if isinstance(names, str):
        return "How does JSON write a list of two texts, and how one text with two names in it?"
    if isinstance(names, list) and all(isinstance(name, dict) for name in names):
        return "What is each element of your list: a name, or an object that holds one?"
    return ""


def _expect_not_empty(task: Task, answer: httpx.Response) -> None:
    """Assert that there is something in the list, whether or not anything is loaded."""
    if not _is_empty(answer):
        return
    loaded = loaded_models(task)
    verb = "is" if len(loaded) == 1 else "are"
    seen = f"though {joined(loaded)} {verb} loaded" if loaded else "and no model is loaded"
    raise Hinted(
        f"GET /models answered {json_body(answer)}, {seen}; right are {joined(list(MODELS))}.",
        NOT_FILLED if loaded else "Which function loads the models, and does FastAPI run it?",
    )


def _is_empty(answer: httpx.Response) -> bool:
    """Whether the list is there, with nothing in it."""
    return answer.text.replace(" ", "") == f'{{"{KEY}":[]}}'


async def _lists_nothing_before_the_start(task: Task) -> bool:
    """Whether a list is answered before the start, with nothing in it."""
    async with task.serve(started=False) as client:
        early = await client.get("/models")
    return early.status_code == 200 and not _listed(early)


def _expect_endpoint(answer: httpx.Response) -> None:
    """Assert that there is an endpoint for the request; what it answers others ask."""
    if routing_hint(answer):
        expect(answer, 200)


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
