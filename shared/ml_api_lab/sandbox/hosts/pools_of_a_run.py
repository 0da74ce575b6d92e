"""The pools of a run: one for each kind of host that its checks need.

Small, and loaded before all else: a run starts its processes here, and loads the rest meanwhile.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ml_api_lab.course.syllabus import Entry
from ml_api_lab.protocol.confinement import UNCONFINED, Confinement
from ml_api_lab.protocol.messages import ClockName
from ml_api_lab.sandbox.files.source_text import a_module_contains
from ml_api_lab.sandbox.hosts.host_pool import HostPool

if TYPE_CHECKING:
    from ml_api_lab.course.catalog import Catalog

Kind = tuple[ClockName, tuple[str, ...]]
"""The clock of a host, and the modules that it has loaded."""

SCIKIT_LEARN = ("sklearn.ensemble", "sklearn.linear_model", "sklearn.datasets")


def modules_of(entry: Entry, *, science: bool = False) -> tuple[str, ...]:
    """Return the modules that a host of that task has loaded, with scikit-learn or without."""
    return entry.preload + (SCIKIT_LEARN if science else ())


def wants_scikit_learn(folder: Path, *, is_asked: bool) -> bool:
    """Whether the processes of a submission are to have scikit-learn loaded, which takes a second.

    Args:
        folder: where the submission is; nothing of it runs yet.
        is_asked: whether its check asks for that. A stub raises before it would be needed.
    """
    if a_module_contains(folder, b"sklearn"):
        return True
    return is_asked and not a_module_contains(folder, b"NotImplementedError")


def can_fork() -> bool:
    """Whether hosts are forked. LAB_FORK=0 has each be a fresh interpreter, as on Windows."""
    return hasattr(os, "fork") and os.environ.get("LAB_FORK") != "0"


class HostPools:
    """Keeps a pool of hosts for each clock and each choice of modules.

    Safe to use from several threads.

    Args:
        confinement: what each host applies before it runs anything of a submission's.
    """

    def __init__(self, confinement: Confinement = UNCONFINED) -> None:
        self.confinement = confinement
        self._lock = threading.Lock()
        self._pools: dict[Kind, HostPool] = {}

    def get(self, clock: ClockName, modules: tuple[str, ...]) -> HostPool:
        """Return the hosts on that clock with those modules, starting them if need be.

        Hosts that have more than those serve as well, but for scikit-learn, which makes each fork
        slower, and for a bare interpreter, which is there long before the others.
        """
        key = (clock, modules)
        with self._lock:
            if key not in self._pools:
                shared = [each for each in self._pools if modules and _serves(each, key)]
                self._pools[key] = (
                    self._pools[shared[0]]
                    if shared
                    else HostPool(clock, modules, fork=can_fork(), confinement=self.confinement)
                )
            return self._pools[key]

    def start(
        self,
        entries: Sequence[Entry],
        catalog: Catalog,
        folder_of: Callable[[str], Path] | None = None,
    ) -> None:
        """Start the hosts that the checks of these tasks will need, as far as they are not there.

        Args:
            folder_of: where the submission of a task is, if only that is going to be graded: what
                it cannot need as it is now is not started.

        Raises:
            CourseError: the checks of a task are wrong.
        """
        # Those that serve others as well come first.
        entries = sorted(entries, key=lambda entry: -len(entry.preload))
        for entry in entries:
            self.get("lab", modules_of(entry))
        for entry in entries:
            for check in catalog.task(entry.name).values():
                science = check.needs_scikit_learn and (
                    folder_of is None or wants_scikit_learn(folder_of(entry.name), is_asked=True)
                )
                modules = modules_of(entry, science=science)
                self.get("real" if check.on_the_wall_clock else "lab", modules)

    def refill(self) -> None:
        """Start the hosts that another run like the one before will need; do not wait for them."""
        for pool in set(self._pools.values()):
            pool.refill()

    def close(self) -> None:
        """End all hosts."""
        for pool in set(self._pools.values()):
            pool.close()
        self._pools.clear()


def _serves(one: Kind, other: Kind) -> bool:
    """Whether hosts of one kind serve where the other is asked for."""
    more = set(one[1]) - set(other[1])
    return one[0] == other[0] and set(one[1]) >= set(other[1]) and more.isdisjoint(SCIKIT_LEARN)
