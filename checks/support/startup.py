"""Starting an application: what it has loaded by then, and whether it refuses to start."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from checks.support.http import request_line
from checks.support.predictions import MODELS
from ml_api_lab.check import Hinted, Late, StartFailed, SubmissionFault, Task

if TYPE_CHECKING:
    import httpx


def loaded_models(task: Task) -> list[str]:
    """Return the models that have been loaded so far."""
    return [load.model for load in task.models.loads]


def expect_loaded(task: Task) -> None:
    """Assert that the application, which has just started, has loaded both models."""
    loaded = loaded_models(task)
    missing = [name for name in MODELS if name not in loaded]
    assert not missing, (
        f"The application has started without loading {joined(missing)}"
        f"{and_loaded(loaded)}; right is that both models are loaded by then."
    )


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
        raise Hinted(
            f"{joined(again)} was loaded once more when a request came, {request_line(response)}; "
            "right is once, when the application starts.",
            "What does this endpoint call, or depend on, that reads the files of the models?",
        )


async def expect_no_start(
    task: Task,
    *names: str,
    because: str,
    env: Mapping[str, str] | None = None,
    hint: str = "",
    loaded_before: int | None = None,
) -> None:
    """Assert that the application does not start, with an error that has one of the names.

    Args:
        because: what is amiss, as the beginning of a sentence: "With RF_MODEL empty".
        hint: what to ask, in place of the check's own, where it has started.
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
            "Who reads this error: does its text say which variable or which file is amiss?",
        )
    # As it had to: it is no news on the card of what comes next.
    task.transcript.raised.clear()


def joined(names: list[str]) -> str:
    """Return the names for a sentence."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


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
