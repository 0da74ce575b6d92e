"""A trial: one check of one submission, played to its verdict; no pytest in it.

A trial is defined by its data alone. What a submission does in it reaches no other trial: each has
a process, a folder and a clock of its own. A script that has run in another trial, with the same
files, variables and moments, need not run again: what it did is known.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import os
import random
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from ml_api_lab.course.catalog import Check
from ml_api_lab.course.syllabus import Entry
from ml_api_lab.course.tree import Tree
from ml_api_lab.grading.verdict import Verdict
from ml_api_lab.lab_time import Span
from ml_api_lab.protocol.messages import ClockName
from ml_api_lab.sandbox.clock import Clock
from ml_api_lab.sandbox.files.workspace import Workspace
from ml_api_lab.sandbox.runs import KnownRuns
from ml_api_lab.task import Task
from ml_api_lab.trials.task_runner import TaskRunner

Question = Callable[..., Awaitable[None]]
"""A check's function: it takes a `task`, a `clock` or both."""

ARGUMENTS = frozenset({"task", "clock"})
"""What a check's function may take in a trial."""


def _ignore(clock: Clock) -> None:
    pass


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One check of one tree.

    Attributes:
        function: the check's function, as `load` or pytest has it.
        seed: what the check's draws begin with.
        budget: the real time that it may take, in seconds.
        clock: "lab" or "real".
    """

    check: Check
    function: Question
    entry: Entry
    tree: Tree
    seed: int
    clock: ClockName
    budget: float

    def draw(self) -> random.Random:
        """Return the draws of this check in a run with this seed."""
        return draw(self.seed, self.check.id)


def draw(seed: int, check: str) -> random.Random:
    """Return the draws of the check with that id in a run with that seed."""
    return random.Random(f"{seed} {check}")


def play(
    trial: Trial,
    runner: TaskRunner,
    *,
    workspace: Workspace | None = None,
    on_start: Callable[[Clock], None] = _ignore,
    budget: float | None = None,
    known_runs: KnownRuns | None = None,
) -> Verdict:
    """Play a trial to its end.

    Args:
        workspace: where it works, if that is laid out already; closed in the end.
        on_start: is given the check's clock as soon as there is one.
        budget: in place of the trial's own, in seconds.
        known_runs: what scripts have done in this grading; None if each is to run.

    Raises:
        BaseException: the check raised what is no `Exception`, as pytest's own outcomes are.
    """
    began = time.monotonic()
    at_work: list[Task] = []
    room: list[bool] = []

    async def scene(task: Task, clock: Clock) -> None:
        at_work.append(task)
        on_start(clock)
        given = {"task": task, "clock": clock}
        wanted = inspect.signature(trial.function).parameters
        try:
            await trial.function(**{name: given[name] for name in wanted})
        except Exception:
            room.append(task.files.has_room)  # as long as its files are there
            raise

    error: Exception | None = None
    try:
        runner.play(
            scene,
            trial.entry,
            trial.tree,
            trial.draw(),
            clock=trial.clock,
            budget=trial.budget if budget is None else budget,
            science=trial.check.needs_scikit_learn,
            workspace=workspace,
            known_runs=known_runs,
        )
    except Exception as raised:
        error = raised
    task = at_work[0] if at_work else None
    return Verdict(
        check=trial.check,
        error=error,
        transcript=None if task is None else task.transcript,
        lab_time=Span(0) if task is None else Span(int(task.clock.now)),
        real_seconds=time.monotonic() - began,
        had_room=all(room),
        clock=trial.clock,
        has_run=task is not None and task.has_run,
    )


def load(course: Path, check: Check) -> Question:
    """Return a check's function without pytest; `checks` must be importable from the course."""
    function: Question = getattr(_module(course / check.path), check.name)
    return function


def can_play(function: Question) -> bool:
    """Whether a check's function asks for nothing that a trial does not give.

    What else there may be (fixtures, marks) is pytest's, and only pytest runs such a check.
    """
    return (
        inspect.iscoroutinefunction(function)
        and ARGUMENTS.issuperset(inspect.signature(function).parameters)
        and not hasattr(function, "pytestmark")
    )


def forget_checks() -> None:
    """Have all checks, and what they import of each other, read anew when they are next loaded."""
    names = [each for each in sys.modules if each.split(".")[0] == "checks"]
    for module in [*_modules.values(), *map(sys.modules.pop, names)]:
        _discard_bytecode(module)
    _modules.clear()
    importlib.invalidate_caches()


def _discard_bytecode(module: ModuleType) -> None:
    """Remove what Python keeps of a module, compiled.

    It takes that for the code of any file of the same size that was saved in the same second.
    """
    cached = getattr(module, "__cached__", None)
    if cached:
        with suppress(OSError):
            os.unlink(cached)


_modules: dict[Path, ModuleType] = {}


def _module(path: Path) -> ModuleType:
    if path not in _modules:
        spec = importlib.util.spec_from_file_location(f"{path.parent.name}_{path.stem}", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        _modules[path] = module
    return _modules[path]
