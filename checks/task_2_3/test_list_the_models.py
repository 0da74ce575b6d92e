"""Checks of task 2.3: what GET /models says."""

from checks.support.http import expect, expect_json, json_body, json_field, request_line
from checks.support.predictions import MODELS
from checks.support.startup import expect_loaded, expect_loaded_once, joined
from ml_api_lab.check import Task, points

KEY = "available_models"


@points(3, hint="What do you get when you go over a dict: its keys, its values, or both?")
async def test_models_answers_a_list_of_names(task: Task) -> None:
    """GET /models answers a list of texts as available_models."""
    async with task.serve() as client:
        answer = await client.get("/models")
    expect(answer, 200, is_tested=True)
    names = json_field(answer, KEY)
    assert isinstance(names, list) and all(isinstance(name, str) for name in names), (
        f"GET /models answered {json_body(answer)}; right is a list of names as {KEY}."
    )


@points(4, hint="Under which names has the lifespan stored the models?")
async def test_every_loaded_model_is_listed(task: Task) -> None:
    """GET /models lists both loaded models, each once."""
    async with task.serve() as client:
        expect_loaded(task)
        answer = await client.get("/models")
        expect_loaded_once(task)
    expect(answer, 200)
    names = json_field(answer, KEY)
    assert isinstance(names, list) and sorted(map(str, names)) == sorted(MODELS), (
        f"GET /models answered {json_body(answer)}; right are {joined(list(MODELS))}, each once."
    )


@points(2, hint="Which variable knows what is loaded, and what is in it before the lifespan runs?")
async def test_nothing_is_listed_before_the_start(task: Task) -> None:
    """GET /models lists no model before the application has started."""
    async with task.serve(started=False) as client:
        early = await client.get("/models")
    listed_early = [name for name in MODELS if early.status_code == 200 and name in early.text]
    assert not listed_early, (
        f"Asked before the start, when no model is loaded, {request_line(early)} answered "
        f"{early.text}; right is a list of what is loaded, so far of nothing."
    )
    async with task.serve() as client:
        expect(await client.get("/models"), 200)


@points(1, hint="Which endpoints did task 2.2 have?")
async def test_the_first_endpoints_carry_over(task: Task) -> None:
    """Beside /models, /health and / answer as before."""
    async with task.serve() as client:
        expect(await client.get("/models"), 200)
        expect_json(await client.get("/health"), {"status": "healthy"})
        expect_json(await client.get("/"), {"message": "Hello World"})
