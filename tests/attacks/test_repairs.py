"""Attacks on the checks' own process: each is stopped by a repair, and succeeds without it.

No tier of isolation is at work here: these repairs are what stops an attack in every tier.
"""

from __future__ import annotations

import textwrap
import tomllib
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from ml_api_lab.errors import SubmissionFault
from ml_api_lab.sandbox.clock import Clock
from ml_api_lab.task import Task
from tests.support.toy import Scenes

ATTACKS: dict[str, dict[str, Any]] = tomllib.loads(
    (Path(__file__).with_name("repairs.toml")).read_text(encoding="utf-8")
)


def scene_of(check: str) -> Callable[[Task, Clock], Awaitable[object]]:
    """Return the check whose body that is."""
    names: dict[str, Any] = {}
    exec("async def scene(task, clock):\n" + textwrap.indent(check, "    "), names)
    scene: Callable[[Task, Clock], Awaitable[object]] = names["scene"]
    return scene


def outcome(scenes: Scenes, attack: Mapping[str, Any]) -> str:
    """Return what the check returned, or the sentence with which it failed."""
    try:
        return str(scenes.play(attack["code"], scene_of(attack["check"])))
    except (SubmissionFault, AssertionError) as fault:
        return str(fault)


def replace(values: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Put what these expressions say in the place of what stands at these names."""
    for place, expression in values.items():
        monkeypatch.setattr(place.replace(":", "."), eval(expression))


@pytest.mark.parametrize("name", ATTACKS)
def test_it_is_stopped(name: str, scripts: Scenes, monkeypatch: pytest.MonkeyPatch) -> None:
    replace(ATTACKS[name].get("given", {}), monkeypatch)
    assert ATTACKS[name]["held"] in outcome(scripts, ATTACKS[name])


@pytest.mark.parametrize("name", ATTACKS)
def test_it_succeeds_without_the_repair(
    name: str, scripts: Scenes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An attack that fails for a reason of its own proves nothing."""
    replace(ATTACKS[name].get("given", {}), monkeypatch)
    replace(ATTACKS[name]["off"], monkeypatch)
    assert outcome(scripts, ATTACKS[name]) == ATTACKS[name]["bites"]
