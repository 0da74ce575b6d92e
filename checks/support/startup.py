"""Starting an application: what it has loaded by then, and whether it refuses to start."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from checks.support.predictions import MODELS
from ml_api_lab.check import Late, StartFailed, SubmissionFault, Task


def loaded_models(task: Task) -> list[str]:
    """Return the models that have been loaded so far."""
    return [load.model for load in task.models.loads]


def expect_loaded(task: Task) -> None:
    """Assert that the application, which has just started, has loaded both models."""
    missing = [name for name in MODELS if name not in loaded_models(task)]
    assert not missing, (
        f"The application has started without loading {joined(missing)}; "
        "right is that both models are loaded by then."
    )


def expect_loaded_once(task: Task) -> None:
    """Assert that no request has loaded a model again."""
    again = [name for name, times in Counter(loaded_models(task)).items() if times > 1]
    assert not again, (
        f"{joined(again)} was loaded once more when a request came; "
        "right is once, when the application starts."
    )


async def expect_no_start(
    task: Task, *names: str, because: str, env: Mapping[str, str] | None = None
) -> None:
    """Assert that the application does not start, with an error that has one of the names.

    Args:
        because: what is amiss, as the beginning of a sentence: "With RF_MODEL empty".
    """
    error = await _start_error(task, env)
    assert error is not None, (
        f"{because}, the application started all the same; "
        f"right is an error that stops the start and names {names[0]}."
    )
    assert any(name.lower() in error.lower() for name in names), (
        f"{because}, the start stopped with {error!r}; right is an error that names {names[0]}."
    )
    # As it had to: it is no news on the card of what comes next.
    task.transcript.raised.clear()


def joined(names: list[str]) -> str:
    """Return the names for a sentence."""
    return " and ".join(names)


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
