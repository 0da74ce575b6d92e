"""Attacks on the checks' own process: each is stopped by a repair, and succeeds without it.

No tier of isolation is at work here: these repairs are what stops an attack in every tier.
"""

from __future__ import annotations

import builtins
import os
import signal
import textwrap
import tomllib
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ml_api_lab.errors import SubmissionFault
from ml_api_lab.sandbox.clock import Clock
from ml_api_lab.task import Task
from tests.support.toy import Scenes

ATTACKS: dict[str, dict[str, Any]] = {
    name: attack
    for file in ("repairs.toml", "documents.toml")
    for name, attack in tomllib.loads(
        Path(__file__).with_name(file).read_text(encoding="utf-8")
    ).items()
}
TOO_LONG = "the checks compute without end"
"""What an outcome is called when the checks' own work has used up `CPU_SECONDS`."""

CPU_SECONDS = 1.0
"""Of this process; what is held needs a hundredth of it, and what bites needs minutes."""


def scene_of(check: str) -> Callable[[Task, Clock], Awaitable[object]]:
    """Return the check whose body that is."""
    names: dict[str, Any] = {}
    exec("async def scene(task, clock):\n" + textwrap.indent(check, "    "), names)
    scene: Callable[[Task, Clock], Awaitable[object]] = names["scene"]
    return scene


class OutOfTimeError(BaseException):
    """The checks' own work does not come to its end; whoever expects an exception expects none."""


@contextmanager
def limited(attack: Mapping[str, Any]) -> Iterator[None]:
    """End the block when it has computed for too long, where that is how the attack bites."""
    if attack["bites"] != TOO_LONG:
        yield
        return

    def end(number: int, frame: object) -> None:
        raise OutOfTimeError(TOO_LONG)

    before = signal.signal(signal.SIGVTALRM, end)
    signal.setitimer(signal.ITIMER_VIRTUAL, CPU_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def outcome(scenes: Scenes, attack: Mapping[str, Any]) -> str:
    """Return what the check returned, or the sentence with which it failed.

    Of an exception that is of no kind that a check expects, that is its class.
    """
    try:
        with limited(attack):
            return str(scenes.play(attack.get("code", ""), scene_of(attack["check"])))
    except (SubmissionFault, AssertionError, OutOfTimeError) as fault:
        return str(fault)
    except Exception as error:
        return type(error).__name__


async def evaluate_beside(task: Task, source: str, name: str) -> str:
    """Evaluate a check's program in the submission's folder, as no check does."""
    task.files.write(name, f"{source}\nprint(report)\n")
    return (await task.run(name)).output


def without_its_list_of_names(script: Path) -> SimpleNamespace:
    """Return the inspector of pickles as it would be if it let all names pass."""
    text = script.read_text(encoding="utf-8")
    laxer = text.replace("if module_is_known(module, name) else None", "").replace(
        "not isinstance(found, type)", "False"
    )
    assert laxer.count("\n") == text.count("\n") and len(laxer) < len(text) - 50
    return SimpleNamespace(name=script.name, read_text=lambda encoding: laxer)


def replace(values: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Put what these expressions say in the place of what stands at these names.

    A built-in exception at a module's name takes the place of another there: nothing is caught.
    """
    for place, expression in values.items():
        is_new = hasattr(builtins, place.partition(":")[2])
        monkeypatch.setattr(place.replace(":", "."), eval(expression), raising=not is_new)


def skip_what_is_not_here(name: str) -> None:
    if os.name != "posix" and (ATTACKS[name].get("posix") or ATTACKS[name]["bites"] == TOO_LONG):
        pytest.skip("needs what POSIX has")


@pytest.mark.parametrize("name", ATTACKS)
def test_it_is_stopped(name: str, scripts: Scenes, monkeypatch: pytest.MonkeyPatch) -> None:
    skip_what_is_not_here(name)
    replace(ATTACKS[name].get("given", {}), monkeypatch)
    assert ATTACKS[name]["held"] in outcome(scripts, ATTACKS[name])


@pytest.mark.parametrize("name", ATTACKS)
def test_it_succeeds_without_the_repair(
    name: str, scripts: Scenes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An attack that fails for a reason of its own proves nothing."""
    skip_what_is_not_here(name)
    replace(ATTACKS[name].get("given", {}), monkeypatch)
    replace(ATTACKS[name]["off"], monkeypatch)
    assert outcome(scripts, ATTACKS[name]) == ATTACKS[name]["bites"]
