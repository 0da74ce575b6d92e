"""Collecting: the checks in the order of the syllabus, and the points that are expected of them."""

from __future__ import annotations

import gc
from collections.abc import Mapping

import pytest

from ml_api_lab.course.catalog import Check
from ml_api_lab.course.tree import TREES
from ml_api_lab.grading.grade import Outcome, Result
from ml_api_lab.progress.record import keep_snapshots
from ml_api_lab.sandbox.hosts.pools_of_a_run import modules_of, wants_scikit_learn
from ml_api_lab.session.session import Session


class Collection:
    """What pytest finds, held against the catalogue."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._unloaded: list[str] = []

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """Mark what the catalogue says of a check, for pytest's `-m`."""
        if (check := self._session.check_of(item)) is not None:
            if check.on_the_wall_clock:
                item.add_marker("on_the_wall_clock")
            if check.needs_scikit_learn:
                item.add_marker("scikit_learn")

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Remember the checks that cannot be loaded: they count, and the harness is to blame."""
        catalog = self._session.catalog
        if report.failed and any(_lies_in(check, report.nodeid) for check in catalog):
            self._session.grade.harness_failed = True
            self._unloaded.append(report.nodeid)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Put the checks into the order of the syllabus, and expect their points."""
        session = self._session
        checks = {item: session.check_of(item) for item in items}
        for item, check in checks.items():
            if check is None and session.is_of_course(item):
                raise pytest.UsageError(
                    f"{item.nodeid} is no check: checks are functions at the top of a file "
                    "checks/task_x_y/test_*.py."
                )
        _refuse_repetition({item: check for item, check in checks.items() if check is not None})
        asked = {check.task for check in checks.values() if check is not None}
        if self._unloaded:
            asked |= {check.task for check in session.catalog.values() if self._is_unloaded(check)}
        results = session.grade.results
        for name in session.syllabus.names:
            if name in asked:
                for check in session.catalog.task(name).values():
                    results[check.id] = Result(check)
        order = {name: place for place, name in enumerate(results)}
        items.sort(key=lambda item: order[c.id] if (c := checks[item]) is not None else -1)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Tell apart what was not selected, and start the processes that are still missing."""
        ours = self._session
        selected = [check for item in session.items if (check := ours.check_of(item)) is not None]
        found = {check.id for check in selected}
        for name, result in ours.grade.results.items():
            if name not in found and not self._is_unloaded(result.check):
                result.outcome = Outcome.DESELECTED
        if not ours.grades:
            for item in session.items:
                _hide_loop_parameter(item)
            return
        if ours.tree.name == TREES[0]:
            ours.digests.update(keep_snapshots(ours.course, ours.grade.tasks))
        # All that is alive now stays so: nobody need look through it for garbage, as pytest does at
        # its end.
        gc.freeze()
        for check in selected:
            folder = ours.tree.folder(check.task)
            if check.needs_scikit_learn and wants_scikit_learn(folder, is_asked=True):
                modules = modules_of(ours.syllabus.entry(check.task), science=True)
                ours.runner.pools.get(ours.clock_of(check), modules)

    def _is_unloaded(self, check: Check) -> bool:
        return any(_lies_in(check.id, node) for node in self._unloaded)


def _lies_in(check: str, node: str) -> bool:
    return node in ("", ".") or check.startswith((f"{node}/", f"{node}::"))


def _hide_loop_parameter(item: pytest.Item) -> None:
    """Let a check without cases look like one to a program that lists tests.

    pytest-asyncio hands each test its event loop as a parameter that is not in the test's name.
    VS Code takes every test that has parameters for a case, looks for the case in the name, and
    shows no test at all if there is none.
    """
    if "[" not in item.name and hasattr(item, "callspec"):
        del item.callspec


def _refuse_repetition(items: Mapping[pytest.Item, Check]) -> None:
    """Refuse to run a check, or a case of it, several times: which result should count?

    Raises:
        pytest.UsageError: a plugin such as pytest-repeat has made several tests of one.
    """
    nodes: dict[tuple[object, ...], str] = {}
    for item, check in items.items():
        callspec = getattr(item, "callspec", None)
        names = {name for mark in item.iter_markers("parametrize") for name in _arguments(mark)}
        places = callspec.indices.items() if callspec is not None else ()
        case = (check.id, *sorted(place for place in places if place[0] in names))
        if nodes.setdefault(case, item.nodeid) != item.nodeid:
            raise pytest.UsageError(
                "Checks are graded once, and a plugin of pytest's (such as pytest-repeat with "
                f"--count) has made several tests of {check.id}; leave out its option."
            )


def _arguments(parametrize: pytest.Mark) -> list[str]:
    """Return the names of the arguments that a check gets from that mark."""
    names = parametrize.args[0] if parametrize.args else parametrize.kwargs["argnames"]
    return [each.strip() for each in names.split(",")] if isinstance(names, str) else list(names)
