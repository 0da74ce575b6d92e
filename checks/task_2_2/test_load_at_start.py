"""Checks of task 2.2: when the models are loaded."""

from collections import Counter

from checks.support.http import expect_json
from checks.support.predictions import MODELS
from checks.support.startup import and_loaded, expect_no_start, joined, loaded_models
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
        f"The application has started without loading {joined(missing)}{and_loaded(at_start)}; "
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
    await _use(task)


@points(2, hint="How often does the code run that reads the files, and who calls it?")
async def test_each_model_is_loaded_once(task: Task) -> None:
    """Each model is loaded once, however many requests come."""
    await task.load()
    at_import = Counter(loaded_models(task))
    at_start, reloading = await _use(task)
    at_start = at_start - at_import - at_import
    in_all = Counter(loaded_models(task)) - at_import - at_import
    are_both_loaded = set(MODELS) <= set(loaded_models(task))
    for name, times in in_all.items():
        # That an import loads nothing, and the start both models, are questions of other checks:
        # one file in the place of another is no second time.
        allowed = 1 if are_both_loaded else max(1, at_start[name])
        assert times <= allowed, (
            f"With one start and six requests, {name} was loaded {times} times"
            f"{f' (by {reloading}, for instance)' if reloading else ''}; "
            "right is once, at the start."
        )


async def _use(task: Task) -> tuple[Counter[str], str]:
    """Start the application and send it requests; return how often it had loaded which by then.

    Return also the first request that has loaded one, "" if none has.

    Assert that it has loaded a model at some time. That it loads both, and when it does, are
    questions of one check each, as is what it answers.
    """
    async with task.serve() as client:
        at_start = Counter(loaded_models(task))
        reloading, loads = "", len(loaded_models(task))
        for path in ("/health", "/") * 3:
            await client.get(path)
            if len(loaded_models(task)) > loads and not reloading:
                reloading = f"GET {path}"
    assert loaded_models(task), (
        "The application has started, answered and ended without loading a model; "
        "right is that its lifespan loads both."
    )
    return at_start, reloading


@points(2, hint="What happens to an exception that nobody catches, and what to one that is caught?")
async def test_missing_file_stops_the_start(task: Task) -> None:
    """Without one of the files the application does not start."""
    async with task.serve():
        loaded = [name for name in MODELS if name in loaded_models(task)]
    # Of a model that is never loaded, no file can be missing: another check asks for both.
    for name in loaded or MODELS:
        task.models.remove(name)
        # The error may name the file or its model.
        await expect_no_start(task, f"{name}.pkl", name, because=f"Without {name}.pkl")
        task.models.place()


@points(1, hint="Which endpoints did task 1.3 have?")
async def test_the_first_endpoints_carry_over(task: Task) -> None:
    """Beside the models, /health and / answer as before."""
    await _use(task)
    async with task.serve() as client:
        expect_json(await client.get("/health"), {"status": "healthy"})
        expect_json(await client.get("/"), {"message": "Hello World"})
