"""The stage: where tasks are put to work, with the processes that this takes."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, TypeVar

from ml_api_lab.sandbox.host_pool import HostPool

if TYPE_CHECKING:
    import random
    from collections.abc import Awaitable, Callable

    from ml_api_lab.course.syllabus import Entry
    from ml_api_lab.course.tree import Tree
    from ml_api_lab.images.engine import Engine
    from ml_api_lab.protocol.messages import ClockName
    from ml_api_lab.sandbox.clock import Clock
    from ml_api_lab.sandbox.workspace import Workspace
    from ml_api_lab.task import Task

T = TypeVar("T")

SCIKIT_LEARN = ("sklearn.ensemble", "sklearn.linear_model", "sklearn.datasets")


class Stage:
    """Keeps hosts of each kind that is needed, for as long as a run takes.

    Safe to use from several threads, each with tasks of its own.

    Attributes:
        engine: the engine that builds and runs images, if the run is to use one.
    """

    def __init__(self) -> None:
        self.engine: Engine | None = None
        self._lock = threading.Lock()
        self._hosts: dict[tuple[ClockName, tuple[str, ...]], HostPool] = {}

    def hosts(self, clock: ClockName, modules: tuple[str, ...]) -> HostPool:
        """Return the hosts on that clock with those modules, starting them if need be.

        LAB_FORK=0 in the environment starts a fresh interpreter for each, as on Windows.
        """
        key = (clock, modules)
        with self._lock:
            if key not in self._hosts:
                fork = False if os.environ.get("LAB_FORK") == "0" else None
                self._hosts[key] = HostPool(clock, modules, fork=fork)
            return self._hosts[key]

    def lay_out(self, entry: Entry, tree: Tree) -> Workspace:
        """Return a workspace of that task in that tree."""
        from ml_api_lab.sandbox.workspace import Workspace

        return Workspace(tree.folder(entry.name), entry.name, tree.shown(entry.name))

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
    ) -> Task:
        """Return a handle of that task in that tree.

        Args:
            science: whether its process has scikit-learn loaded.
            terminal: the name of the terminal that a debugger may use.
            workspace: where it works, if that is laid out already; closed with the handle.
        """
        # Late, so that the first process is on its way before all of this is loaded.
        from ml_api_lab.sandbox.transcript import Transcript
        from ml_api_lab.task import Task

        shown = tree.shown(entry.name)
        if workspace is None:
            workspace = self.lay_out(entry, tree)
        transcript = Transcript(workspace.folder, tree.folder(entry.name), shown)
        modules = entry.preload + (SCIKIT_LEARN if science else ())
        return Task(
            entry,
            workspace,
            clock,
            transcript,
            lambda: self.hosts(clock.name, modules),
            draw,
            terminal,
            self.engine,
        )

    def play(
        self,
        scene: Callable[[Task, Clock], Awaitable[T]],
        entry: Entry,
        tree: Tree,
        draw: random.Random,
        *,
        clock: ClockName = "lab",
        budget: float = 60,
        science: bool = False,
        workspace: Workspace | None = None,
    ) -> T:
        """Put that task to work as the scene asks, in an event loop of its own; without pytest.

        Args:
            budget: the real time that it may take, in seconds.
            workspace: where it works, if that is laid out already; closed in the end.
        """
        import asyncio

        from ml_api_lab.sandbox.clock import new_loop

        with asyncio.Runner(loop_factory=lambda: new_loop(clock, budget)) as runner:
            moving: Clock = runner.get_loop().clock  # type: ignore[attr-defined]
            task = self.task(entry, tree, moving, draw, science=science, workspace=workspace)

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
        for hosts in self._hosts.values():
            hosts.close()
        self._hosts.clear()
        from ml_api_lab.sandbox.workspace import sweep

        sweep()
