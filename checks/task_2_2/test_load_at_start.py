"""Checks of task 2.2: when the models are loaded."""

import contextlib
from collections import Counter

from checks.support.application import expect_as_before
from checks.support.predictions import MODELS
from checks.support.probe import unshown
from checks.support.startup import (
    and_loaded,
    expect_no_start,
    loaded_models,
    why_not_loaded,
)
from checks.support.wording import joined
from ml_api_lab.check import Hinted, SubmissionFault, Task, points


@points(
    3,
    hint="What does FastAPI run, up to a yield, before the first request?",
)
async def test_both_models_are_loaded_at_the_start(task: Task) -> None:
    """When the application has started, both models are loaded."""
    await _expect_both_at_the_start(task)


@points(2, hint="Which lines of main.py run when another program imports it?")
async def test_import_loads_nothing(task: Task) -> None:
    """Importing main.py loads no model, starting the application does."""
    await task.load("main.py")
    early = loaded_models(task)
    if early:
        again = await _loaded_after_import(task)
        assert not again, (
            f"Importing main.py loaded {joined(early)}, and its start loaded {joined(again)} once "
            "more; right is that only the start does."
        )
        raise AssertionError(
            f"Importing main.py loaded {joined(early)}, and its start loaded nothing; "
            "right is that the models are loaded when the application starts."
        )
    await _use(task)


async def _loaded_after_import(task: Task) -> list[str]:
    """Return what a start loads after its import, of an application whose import loads models."""
    with unshown(task), contextlib.suppress(SubmissionFault):
        before = len(loaded_models(task))
        async with task.serve():
            return loaded_models(task)[2 * before :]
    return []


@points(2, hint="How often does the code run that reads the files, and who calls it?")
async def test_each_model_is_loaded_once(task: Task) -> None:
    """Each model is loaded once, however many requests come."""
    await task.load()
    at_import = Counter(loaded_models(task))
    at_start = await _use(task)
    at_start = at_start - at_import - at_import
    in_all = Counter(loaded_models(task)) - at_import - at_import
    are_both_loaded = set(MODELS) <= set(loaded_models(task))
    for name, times in in_all.items():
        # That an import loads nothing, and the start both models, are questions of other checks:
        # one file in the place of another is no second time.
        allowed = 1 if are_both_loaded else max(1, at_start[name])
        if times > allowed:
            when = await _who_loads_again(task) if times > at_start[name] else "all at the start"
            raise AssertionError(
                f"With one start and six requests, {name} was loaded {times} times, {when}; "
                "right is once, at the start."
            )


async def _who_loads_again(task: Task) -> str:
    """Return which requests load models, of paths that have an endpoint and of one that has not."""
    loading: dict[bool, list[str]] = {True: [], False: []}
    with unshown(task):
        async with task.serve() as client:
            for path in ("/health", "/", "/nothing"):
                before = len(loaded_models(task))
                await client.get(path)
                loading[len(loaded_models(task)) > before].append(f"GET {path}")
    if not loading[True]:
        return "though not by every request"
    others = f", not by {joined(loading[False])}" if loading[False] else ""
    return f"by every {joined(loading[True])}{others} (no endpoint has /nothing)"


async def _use(task: Task) -> Counter[str]:
    """Start the application and send it requests; return how often it had loaded which by then.

    Assert that it has loaded a model at some time. That it loads both, and when it does, are
    questions of one check each, as is what it answers.
    """
    async with task.serve() as client:
        at_start = Counter(loaded_models(task))
        for path in ("/health", "/") * 3:
            await client.get(path)
    if not loaded_models(task):
        await _expect_both_at_the_start(task)
    return at_start


@points(
    2,
    hint="Who goes on without the file: an except that catches its error, or an if that asks for "
    "the file first?",
)
async def test_missing_file_stops_the_start(task: Task) -> None:
    """Without one of the files the application does not start."""
    async with task.serve():
        loaded = [name for name in MODELS if name in loaded_models(task)]
    # Of a model that is never loaded, no file can be missing: another check asks for both.
    for name in loaded or MODELS:
        before = len(loaded_models(task))
        task.models.remove(name)
        try:
            # The error may name the file or its model.
            await expect_no_start(
                task,
                f"{name}.pkl",
                name,
                because=f"Without {name}.pkl",
                loaded_before=before if loaded else None,
            )
        except AssertionError:
            if loaded:
                raise
            task.models.place()
            await _expect_both_at_the_start(task)
            raise
        task.models.place()


async def _expect_both_at_the_start(task: Task) -> None:
    """Assert that both models are loaded when the application has started."""
    before = len(loaded_models(task))
    async with task.serve() as client:
        at_start = loaded_models(task)[before:]
        for path in ("/health", "/"):
            await client.get(path)
        in_requests = loaded_models(task)[before + len(at_start) :]
    at_the_end = loaded_models(task)[before + len(at_start) + len(in_requests) :]
    late = [name for name in MODELS if name in in_requests and name not in at_start]
    assert not late, (
        f"The application loaded {joined(late)} only when a request came; "
        "right is that both models are loaded before the first."
    )
    missing = [name for name in MODELS if name not in at_start]
    if not missing:
        return
    sentence = f"The application has started without loading {joined(missing)}"
    sentence += and_loaded(at_start)
    if set(missing) <= set(at_the_end):
        raise Hinted(
            f"{sentence}, and loaded {joined(missing)} when it ended; right is at the start.",
            "Which lines of a lifespan run at the start, and which at the end?",
        )
    raise await why_not_loaded(task, sentence, missing, at_start)


@points(1, hint="Which endpoints did task 1.3 have?")
async def test_the_first_endpoints_carry_over(task: Task) -> None:
    """Beside the models, /health and / answer as before."""
    await _use(task)
    async with task.serve() as client:
        health, root = await client.get("/health"), await client.get("/")
    await expect_as_before(task, health, {"status": "healthy"})
    await expect_as_before(task, root, {"message": "Hello World"})
