"""Starting an application: what it has loaded by then, and whether it refuses to start."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from checks.support.application import A_MODEL, Application, look_at_application
from checks.support.http import json_body, request_line
from checks.support.predictions import MODELS
from checks.support.probe import unshown
from checks.support.wording import joined
from ml_api_lab.check import Hinted, Late, StartFailed, SubmissionFault, Task

if TYPE_CHECKING:
    import httpx


def loaded_models(task: Task) -> list[str]:
    """Return the models that have been loaded so far."""
    return [load.model for load in task.models.loads]


async def expect_loaded(task: Task, at_start: list[str]) -> None:
    """Assert that an application had loaded both models when it had started."""
    missing = [name for name in MODELS if name not in at_start]
    if missing:
        sentence = f"The application has started without loading {joined(missing)}"
        sentence += and_loaded(at_start)
        raise await why_not_loaded(task, sentence, missing, at_start)


async def why_not_loaded(
    task: Task, sentence: str, missing: list[str], at_start: list[str]
) -> Hinted:
    """Return that an application has started without these models, and what else was seen.

    Args:
        sentence: the first half of what it says; `at_start`: what was loaded instead.
    """
    right = "right is that its lifespan loads both models"
    if len(at_start) > 1:
        return Hinted(f"{sentence}; {right}.", "Which path is each of the two loaded from?")
    application = await look_at_application(task)
    if application is not None and not application.has_lifespan:
        return Hinted(
            f"{sentence}: `app` has no lifespan; {right}.",
            "How does FastAPI(...) learn which function is its lifespan?",
        )
    if application is not None and application.start_events:
        return Hinted(
            f"{sentence}: `app` has a lifespan, and beside it FastAPI does not run "
            f"{joined(application.start_events)}, its on_event function; {right}.",
            "Which of the two do you need, and which lines belong into it?",
        )
    if instead := _kept_instead(application, missing[0]):
        return Hinted(
            f"{sentence}: under its name, {instead}; {right}.",
            "What does the lifespan keep under each name: what was loaded, or something else?",
        )
    file = f"{missing[0]}.pkl"
    task.models.remove(missing[0])
    try:
        with unshown(task):
            async with task.serve():
                pass
    except SubmissionFault:
        return Hinted(
            f"{sentence}: without {file} it does not start, so it asks for the file, but it makes "
            f"no model of what is in it; {right}.",
            "What turns the bytes of a pickle into a model?",
        )
    return Hinted(
        f"{sentence}: it starts also if {file} is not there; {right}.",
        "Which files does your lifespan load before its yield?",
    )


def _kept_instead(application: Application | None, name: str) -> str:
    """Return what stands in the place of a model after the start, "" if nothing was seen."""
    for variable, content in application.filled.items() if application is not None else ():
        if name in content and content[name] != A_MODEL:
            return f"{variable} holds {content[name]}"
    return ""


def and_loaded(loaded: Sequence[str]) -> str:
    """Return the rest of a sentence, of what an application has not loaded: what it has."""
    times = {1: "once", 2: "twice"}
    told = [
        f"{name} {times.get(count, f'{count} times')}" for name, count in Counter(loaded).items()
    ]
    return f", and has loaded {joined(told)}" if told else ""


def expect_loaded_once(task: Task, response: httpx.Response) -> None:
    """Assert that no model has been loaded again up to that answer, the last one."""
    again = [name for name, times in Counter(loaded_models(task)).items() if times > 1]
    if again:
        verb = "were" if len(again) > 1 else "was"
        raise Hinted(
            f"{joined(again)} {verb} loaded once more when a request came, "
            f"{request_line(response)}; right is once, when the application starts.",
            "What does this endpoint call, or depend on, that reads the files of the models?",
        )


async def wrong_list(
    task: Task, response: httpx.Response, env: Mapping[str, str] | None = None
) -> AssertionError:
    """Return that an answer lists other models than the two, and under which names they are kept.

    Args:
        env: variables of the process that is looked into.
    """
    sentence = f"{request_line(response)} answered {json_body(response)}"
    right = f"right are {joined(list(MODELS))}, each once."
    application = await look_at_application(task, env)
    for variable, content in application.filled.items() if application is not None else ():
        if A_MODEL not in content.values():
            continue
        sentence += f"; after the start, the keys of `{variable}` are {joined(list(content))}"
        if sorted(content) == sorted(MODELS):
            hint = "What does your endpoint make of the names under which the models are stored?"
        else:
            hint = "Under which names has the lifespan stored the models?"
        return Hinted(f"{sentence}; {right}", hint)
    return Hinted(f"{sentence}; {right}", "Where does each entry of your list come from?")


async def expect_no_start(
    task: Task,
    *names: str,
    because: str,
    env: Mapping[str, str] | None = None,
    hint: str = "",
    hint_if_unnamed: str = "",
    loaded_before: int | None = None,
) -> None:
    """Assert that the application does not start, with an error that has one of the names.

    Args:
        because: what is amiss, as the beginning of a sentence: "With RF_MODEL empty".
        hint: what to ask, in place of the check's own, where it has started; `hint_if_unnamed`:
            where its error has none of the names.
        loaded_before: how many models had been loaded before, so that the sentence says what has
            been loaded instead; None for a sentence without.
    """
    error = await _start_error(task, env)
    if error is None:
        instead = ""
        if loaded_before is not None:
            loaded = joined(loaded_models(task)[loaded_before:]) or "no model"
            instead = f", with {loaded} loaded"
        sentence = (
            f"{because}, the application started all the same{instead}; "
            f"right is an error that stops the start and names {names[0]}."
        )
        raise Hinted(sentence, hint) if hint else AssertionError(sentence)
    if not any(name.lower() in error.lower() for name in names):
        raise Hinted(
            f"{because}, the start stopped with {error!r}; right is an error that names "
            f"{names[0]}.",
            hint_if_unnamed
            or "Who reads this error: does its text say which variable or which file is amiss?",
        )
    # As it had to: it is no news on the card of what comes next.
    task.transcript.raised.clear()


async def _start_error(task: Task, env: Mapping[str, str] | None) -> str | None:
    """Return the error that stopped the start, None if the application has started.

    Raises:
        Late: it came to no end, which on a busy machine has to be tried again.
    """
    printed = len(task.transcript.lines)
    try:
        async with task.serve(env):
            return None
    except StartFailed as failed:
        if failed.kind != "SystemExit":
            return f"{failed.kind}: {failed.text}"
        error = failed.text
    except Late:
        raise
    except SubmissionFault:
        error = ""
    # A program that ends itself says why as it does.
    return "\n".join([error, *(line.text for line in task.transcript.lines[printed:])]).strip()
