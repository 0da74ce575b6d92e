"""The schedule: which checks are played as trials, in which order, and what pytest is told of them.

pytest runs one test after the other. Checks that ask it for nothing but `task` and `clock` are
played side by side (:mod:`ml_api_lab.trials.parallel_trials`) from the beginning of the run on;
when pytest comes to one, its verdict is only reported. Whatever asks pytest for more is run by
pytest itself, with nothing beside it.
"""

from __future__ import annotations

import inspect
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ml_api_lab.course.catalog import Check
from ml_api_lab.errors import SubmissionFault
from ml_api_lab.grading.verdict import Verdict
from ml_api_lab.session.session import Session
from ml_api_lab.trials.machine_lock import MachineLock
from ml_api_lab.trials.parallel_trials import ParallelTrials
from ml_api_lab.trials.trial import ARGUMENTS, Trial, play

# What a check may ask pytest for and be marked with to be played as a trial: what it takes itself,
# and what pytest-asyncio adds.
_FIXTURES = ARGUMENTS | {"request", "event_loop_policy"}
_MARKS = {"asyncio", "scikit_learn", "on_the_wall_clock"}


class PlayedItem(pytest.Item):
    """A check that has been played as a trial, for pytest to report."""

    def __init__(
        self, *, parallel: ParallelTrials, trial: Trial, verdict: Verdict, **rest: Any
    ) -> None:
        super().__init__(**rest)
        self._parallel = parallel
        self._trial = trial
        self._is_told = False
        self.verdict = verdict

    def runtest(self) -> None:
        """Raise what the check has raised; asked again (as by a plugin that reruns), play anew."""
        if self._is_told:
            self.verdict = self._parallel.play_alone(self._trial)
        self._is_told = True
        if self.verdict.error is not None:
            raise self.verdict.error

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *rest: Any) -> str:
        """Return the sentence alone: a card is shown, and a traceback takes long to draw."""
        return str(excinfo.value)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        code = inspect.unwrap(self._trial.function).__code__
        return self.path, code.co_firstlineno - 1, self.name


class Schedule:
    """The order of a run's checks."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._parallel = ParallelTrials(
            partial(play, runner=session.runner),
            lambda trial: session.runner.lay_out(trial.entry, trial.tree),
            None if session.isolation.has_own_ports else MachineLock(),
        )
        self._trials: dict[pytest.Item, Trial] = {}

    def end(self) -> None:
        """End what is at work."""
        self._parallel.end()

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Begin with the trials of all checks that can be played as such."""
        # A debugger wants the terminal, or its port, to itself.
        is_debugged = self._session.terminal is not None or self._session.runner.debugger
        if is_debugged or not self._session.grades:
            return
        for item in session.items:
            check = self._session.check_of(item)
            if check is not None and isinstance(item, pytest.Function) and _is_plain(item):
                self._trials[item] = self._session.trial_of(item, check)
        self._parallel.begin(_in_order_of_start(list(self._trials.values())))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> bool | None:
        """Report a check that was played; have pytest run any other with nothing beside it."""
        if isinstance(item, PlayedItem):
            return None
        verdict = self._verdict(item)
        if verdict is not None and item.parent is not None:
            played = PlayedItem.from_parent(
                item.parent,
                name=item.name,
                parallel=self._parallel,
                trial=self._trials[item],
                verdict=verdict,
            )
            done: bool | None = item.ihook.pytest_runtest_protocol(item=played, nextitem=nextitem)
            return done
        return None

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Any:
        if isinstance(item, PlayedItem) or self._session.check_of(item) is None:
            return (yield)
        with self._parallel.nothing_at_work():
            return (yield)

    def _verdict(self, item: pytest.Item) -> Verdict | None:
        """Return the verdict to report, None if pytest is to run the check itself."""
        trial = self._trials.get(item)
        if trial is None:
            return None
        try:
            verdict = self._parallel.verdict(trial)
        except pytest.fail.Exception as error:  # from a plugin that watches, as pytest-timeout
            fault = SubmissionFault(f"The check was ended before it had its answer: {error.msg}")
            return Verdict(check=trial.check, error=fault, clock=trial.clock)
        if verdict is None or verdict.passed:
            return verdict
        # `--tb` and `--pdb` ask for pytest's own view of a failure, and authors need it of theirs.
        wants_pytest = self._session.config.getoption("tbstyle") != "auto"
        wants_pytest |= bool(self._session.config.getoption("usepdb"))
        return None if wants_pytest or verdict.harness_failed else verdict


def _is_plain(item: pytest.Function) -> bool:
    """Whether a check asks pytest for nothing that a trial does not give."""
    return (
        inspect.iscoroutinefunction(item.function)
        and _FIXTURES.issuperset(item.fixturenames)
        and _MARKS.issuperset(mark.name for mark in item.iter_markers())
    )


def _in_order_of_start(trials: list[Trial]) -> list[Trial]:
    """Return the trials in the order in which to begin with them.

    The first of each task, then the second of each: a file begins with what takes longest, and one
    long check alone at the end would leave the machine idle. Last, what waits for scikit-learn,
    which takes a while to load.
    """
    places: dict[str, int] = {}
    keys: dict[str, tuple[bool, int]] = {}
    for trial in trials:
        check: Check = trial.check
        places[check.task] = place = places.get(check.task, 0) + 1
        keys[check.id] = check.needs_scikit_learn, place
    return sorted(trials, key=lambda trial: keys[trial.check.id])
