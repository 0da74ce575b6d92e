"""The runner: puts tasks to work, each with a clock of its own, on processes that it keeps."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from ml_api_lab.course.syllabus import Entry
from ml_api_lab.course.tree import Tree
from ml_api_lab.protocol.messages import ClockName
from ml_api_lab.sandbox.clock import Clock, new_loop
from ml_api_lab.sandbox.debugger import Debugger
from ml_api_lab.sandbox.files.workspace import Workspace, sweep
from ml_api_lab.sandbox.hosts.pools_of_a_run import HostPools, modules_of, wants_scikit_learn
from ml_api_lab.sandbox.runs import KnownRuns
from ml_api_lab.sandbox.transcript import Transcript
from ml_api_lab.task import Task

if TYPE_CHECKING:
    from ml_api_lab.images.engine import Engine

T = TypeVar("T")


class TaskRunner:
    """Puts tasks to work, for as long as a run takes.

    Safe to use from several threads, each with tasks of its own.

    Args:
        pools: where to take processes from; closed with the runner.
        engine: the engine that builds and runs images, if the run is to use one.
        debugger: what each submission waits for before it runs, if the run has one.
    """

    def __init__(
        self,
        pools: HostPools | None = None,
        engine: Engine | None = None,
        debugger: Debugger | None = None,
    ) -> None:
        self.pools = HostPools() if pools is None else pools
        self.engine = engine
        self.debugger = debugger

    def lay_out(self, entry: Entry, tree: Tree) -> Workspace:
        """Return a workspace of that task in that tree.

        Raises:
            NotThere: the tree has no such task, or it cannot be copied.
            HarnessError: there is no room for the copy.
        """
        return Workspace(
            tree.folder(entry.name), entry.name, tree.shown(entry.name), root=tree.root
        )

    def task(
        self,
        entry: Entry,
        tree: Tree,
        clock: Clock,
        draw: random.Random,
        *,
        science: bool = False,
        terminal: str | None = None,
        workspace: Workspace | None = None,
        known_runs: KnownRuns | None = None,
    ) -> Task:
        """Return a handle of that task in that tree.

        Args:
            science: whether its check asks for a process that has scikit-learn loaded. One whose
                modules name it has it in any case, and one that is still a stub has not.
            terminal: the name of the terminal that a debugger may use.
            workspace: where it works, if that is laid out already; closed with the handle.
            known_runs: what scripts have done in the grading that this is a part of.
        """
        if workspace is None:
            workspace = self.lay_out(entry, tree)
        transcript = Transcript(workspace.folder, tree.folder(entry.name), tree.shown(entry.name))
        science = wants_scikit_learn(workspace.folder, is_asked=science)
        modules = modules_of(entry, science=science)
        return Task(
            entry,
            workspace,
            clock,
            transcript,
            lambda: self.pools.get(clock.name, modules),
            draw,
            terminal,
            self.engine,
            self.debugger,
            known_runs,
        )

    def play(
        self,
        scene: Callable[[Task, Clock], Awaitable[T]],
        entry: Entry,
        tree: Tree,
        draw: random.Random,
        *,
        clock: ClockName = "lab",
        budget: float,
        science: bool = False,
        workspace: Workspace | None = None,
        known_runs: KnownRuns | None = None,
    ) -> T:
        """Put that task to work as the scene asks, in an event loop of its own.

        Args:
            budget: the real time that it may take, in seconds.
            workspace: where it works, if that is laid out already; closed in the end.
            known_runs: what scripts have done in the grading that this is a part of.
        """
        with asyncio.Runner(loop_factory=lambda: new_loop(clock, budget)) as runner:
            moving: Clock = runner.get_loop().clock  # type: ignore[attr-defined]  # it is ours
            task = self.task(
                entry,
                tree,
                moving,
                draw,
                science=science,
                workspace=workspace,
                known_runs=known_runs,
            )

            async def played() -> T:
                return await scene(task, moving)

            try:
                return runner.run(played())
            finally:
                task.close()

    def close(self) -> None:
        """End all hosts, and remove what the engine built and what is left of workspaces."""
        if self.engine is not None:
            self.engine.close()
        self.pools.close()
        sweep()
