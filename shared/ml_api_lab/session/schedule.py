"""Whose turn it is: which checks begin ahead of theirs, and what pytest is told of them.

pytest runs one check after the other. Checks in lab time that ask it for nothing begin before that,
side by side (:mod:`ml_api_lab.session.prefetch`); those that have passed when their turn comes are
only reported.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ml_api_lab.session.prefetch import Ahead, Passed

if TYPE_CHECKING:
    from ml_api_lab.sandbox.clock import Clock
    from ml_api_lab.sandbox.workspace import Workspace
    from ml_api_lab.session.session import Lab
    from ml_api_lab.task import Task

# What a check may ask pytest for, and be marked with, to begin ahead of its turn: what it takes
# itself, and what pytest-asyncio adds.
_FIXTURES = {"task", "clock", "request", "event_loop_policy"}
_MARKS = {"asyncio", "scikit_learn"}

_SHARE = 0.25
"""The part of its budget that a check has ahead: what does not end is to have it in its turn."""


class PassedItem(pytest.Item):
    """A check that has passed ahead of its turn, for pytest to report."""

    def __init__(self, *, passed: Passed, **rest: Any) -> None:
        super().__init__(**rest)
        self.passed = passed

    def runtest(self) -> None:
        """Do nothing: it has been done."""

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, None, self.name


class Turns:
    """The turns of a run's checks."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._ahead = Ahead(self._lay_out, self._perform)
        self._stretches: dict[pytest.Item, list[pytest.Item]] = {}

    def end(self) -> None:
        """End what is at work ahead of its turn."""
        self._ahead.end()

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        # A debugger wants the terminal to itself, and so does a real server the machine.
        if self._lab.terminal() is not None:
            return
        for ahead, group in groupby(session.items, self._may_begin_ahead):
            if ahead:
                stretch = list(group)
                self._stretches[stretch[0]] = self._spread(stretch)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> bool | None:
        """Begin with a stretch of checks at its first one's turn; report what has passed."""
        if item in self._stretches:
            self._ahead.begin(self._stretches[item])
        passed = self._ahead.passed(item)
        if passed is None or item.parent is None:
            return None
        report = PassedItem.from_parent(item.parent, name=item.name, passed=passed)
        done: bool | None = item.ihook.pytest_runtest_protocol(item=report, nextitem=nextitem)
        return done

    def _may_begin_ahead(self, item: pytest.Item) -> bool:
        return (
            self._lab.check_of(item) is not None
            and self._lab.clock_of(item) == "lab"
            and isinstance(item, pytest.Function)
            and inspect.iscoroutinefunction(item.function)
            and _FIXTURES.issuperset(item.fixturenames)
            and _MARKS.issuperset(mark.name for mark in item.iter_markers())
        )

    def _spread(self, stretch: list[pytest.Item]) -> list[pytest.Item]:
        """Return the checks in the order in which to begin with them.

        The first of each task, then the second of each: a file begins with what takes longest, and
        one long check alone at the end would leave the machine idle. Last, what waits for
        scikit-learn, which takes a while to load.
        """
        places: dict[Path, int] = {}
        keys = {}
        for item in stretch:
            places[item.path] = place = places.get(item.path, 0) + 1
            keys[item] = self._lab.needs_science(item), place
        return sorted(stretch, key=keys.__getitem__)

    def _lay_out(self, item: pytest.Item) -> Workspace:
        return self._lab.stage.lay_out(self._lab.entry_of(item), self._lab.tree)

    def _perform(self, item: pytest.Item, place: Workspace, know: Callable[[Clock], None]) -> None:
        """Run a check without pytest; raise what it raises."""

        async def scene(task: Task, clock: Clock) -> None:
            know(clock)
            await function(**{name: {"task": task, "clock": clock}[name] for name in wanted})

        lab = self._lab
        function = item.function  # type: ignore[attr-defined]
        wanted = inspect.signature(function).parameters
        lab.stage.play(
            scene,
            lab.entry_of(item),
            lab.tree,
            lab.draw_of(item),
            budget=lab.config.getoption("budget") * _SHARE,
            science=lab.needs_science(item),
            workspace=place,
        )
