"""Checks of task 2.2: when the models are loaded."""

from collections import Counter

from checks.support.http import expect, expect_json
from checks.support.predictions import MODELS
from checks.support.startup import expect_loaded, expect_no_start, joined, loaded_models
from ml_api_lab.check import Task, points


@points(
    3,
    hint="What does FastAPI run, up to a yield, before the first request? Who tells it so?",
)
async def test_both_models_are_loaded_at_the_start(task: Task) -> None:
    """When the application has started, both models are loaded."""
    async with task.serve() as client:
        at_start = loaded_models(task)
        for path in ("/health", "/"):
            await client.get(path)
        late = [name for name in MODELS if name in loaded_models(task) and name not in at_start]
    assert not late, (
        f"The application loaded {joined(late)} only when a request came; "
        "right is that both models are loaded before the first."
    )
    missing = [name for name in MODELS if name not in at_start]
    assert not missing, (
        f"The application has started without loading {joined(missing)}; "
        "right is that its lifespan loads both models."
    )


@points(2, hint="Which lines of main.py run when another program imports it?")
async def test_import_loads_nothing(task: Task) -> None:
    """Importing main.py loads no model, starting the application does."""
    await task.load("main.py")
    early = loaded_models(task)
    assert not early, (
        f"Importing main.py loaded {joined(early)}; "
        "right is that the models are loaded when the application starts."
    )
    async with task.serve():
        expect_loaded(task)


@points(2, hint="How often does the code run that reads the files, and who calls it?")
async def test_each_model_is_loaded_once(task: Task) -> None:
    """Each model is loaded once, however many requests come."""
    async with task.serve() as client:
        expect_loaded(task)
        for path in ("/health", "/") * 3:
            expect(await client.get(path), 200)
    times = Counter(loaded_models(task))
    for name in MODELS:
        assert times[name] == 1, (
            f"With one start and six requests, {name} was loaded {times[name]} times; "
            "right is once, at the start."
        )


@points(2, hint="What happens to an exception that nobody catches, and what to one that is caught?")
async def test_missing_file_stops_the_start(task: Task) -> None:
    """Without one of the files the application does not start."""
    for name in MODELS:
        task.models.remove(name)
        # The error may name the file or its model.
        await expect_no_start(task, f"{name}.pkl", name, because=f"Without {name}.pkl")
        task.models.place()


@points(1, hint="Which endpoints did task 1.3 have?")
async def test_the_first_endpoints_carry_over(task: Task) -> None:
    """With both models loaded, /health and / answer as before."""
    async with task.serve() as client:
        expect_loaded(task)
        expect_json(await client.get("/health"), {"status": "healthy"})
        expect_json(await client.get("/"), {"message": "Hello World"})
