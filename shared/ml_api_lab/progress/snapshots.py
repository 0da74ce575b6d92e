"""The states that are kept of a student's work, and the log of what replaced what.

Each state is a file with the name of its digest: in `.lab/graded/task_3_2/`, where the oldest are
given up in the end, or in `.lab/replaced/task_3_2/`, where none ever is. In `.lab/log/` each time
that the lab writes into a student's folder is a file, which is written before the folder is
touched: whatever ends the lab afterwards, what was there before is known and kept.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ml_api_lab.course.snapshot import Snapshot, SnapshotError
from ml_api_lab.progress import folder as lab
from ml_api_lab.progress.writing import write_over

MAX_GRADED = 100
"""How many graded states are kept of a task."""

_SHORT = 8
_KINDS = ("replaced", "graded")


@dataclass(frozen=True, kw_only=True)
class Replacement:
    """The lab wrote one state of a task over another.

    Attributes:
        id: its name in the log, which is in the order of time.
        before: the digest of what was there; `after`: of what was to be there.
        at: when, in seconds since 1970.
        undoes: the name of the replacement that it takes back, None for a reset.
        done: whether it came to its end.
    """

    id: str
    task: str
    before: str
    after: str
    at: float
    undoes: str | None
    done: bool


def short(state: str) -> str:
    """Return a state's digest as people write it."""
    return state[:_SHORT]


class Snapshots:
    """The kept states of a course.

    Args:
        folder: its `.lab`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    # --- keeping ----------------------------------------------------------------------------------

    def keep_graded(self, task: str, state: Snapshot) -> str:
        """Keep a state that is graded, and give up the oldest of those; return its digest.

        Raises:
            OSError: there is no room, or nothing may be written.
        """
        self._keep("graded", task, state, durable=False)
        for path in self._files("graded", task)[MAX_GRADED:]:
            path.unlink(missing_ok=True)
        return state.id

    def _keep(self, kind: str, task: str, state: Snapshot, *, durable: bool) -> None:
        path = lab.make(self.folder, kind, task) / f"{state.id}.json"
        data = state.dump()
        if path.exists() and path.read_bytes() == data:
            os.utime(path)  # the newest again
        else:
            lab.write(self.folder, path, data, durable=durable)

    def known(self, task: str) -> list[str]:
        """Return the digests of a task's kept states."""
        return sorted({path.stem for kind in _KINDS for path in self._files(kind, task)})

    def named(self, task: str, said: str) -> str:
        """Return the digest that begins so.

        Raises:
            SnapshotError: none does, or several.
        """
        found = [each for each in self.known(task) if said and each.startswith(said.lower())]
        number = task.removeprefix("task_").replace("_", ".")
        if len(found) != 1:
            told = "several kept states that begin" if found else "no kept state that begins"
            where = f"lab history {number} lists its states"
            raise SnapshotError(f"{number} has {told} with {said!r}; {where}.")
        return found[0]

    def get(self, task: str, digest: str) -> Snapshot:
        """Return a kept state.

        Raises:
            SnapshotError: it is not there, or is damaged.
        """
        paths = [self.folder / kind / task / f"{digest}.json" for kind in _KINDS]
        try:
            state = Snapshot.load(
                next((each for each in paths if each.exists()), paths[0]).read_bytes()
            )
        except OSError as error:
            raise SnapshotError(
                f"The state {short(digest)} cannot be read ({error.strerror})."
            ) from error
        if state.id != digest:
            raise SnapshotError(f"The state {short(digest)} is damaged: its content has changed.")
        return state

    # --- replacing --------------------------------------------------------------------------------

    def replace(
        self, task: str, folder: Path, after: Snapshot, *, undoes: str | None = None
    ) -> Replacement:
        """Write a state into a task's folder; what was there before is kept first.

        Raises:
            SnapshotError: it cannot be written; what was there is still there, or kept.
            OSError: nothing may be written into `.lab`; nothing has been changed.
        """
        current = Snapshot.read(folder)
        self._keep("replaced", task, current, durable=True)
        entry: dict[str, Any] = {
            "task": task,
            "before": current.id,
            "after": after.id,
            "at": time.time(),
        }
        log = lab.make(self.folder, "log")
        last = max((each.id for each in self.replacements()), default="0")
        name = f"{int(last.partition('-')[0]) + 1:06}-{os.urandom(4).hex()}"
        path = log / f"{name}.json"
        lab.write(self.folder, path, json.dumps({**entry, "undoes": undoes}).encode())
        write_over(current, after, folder, self.folder)
        path.with_suffix(".done").touch()
        return Replacement(id=name, **entry, undoes=undoes, done=True)

    def undo(self, task: str, folder: Path, last: Replacement) -> Replacement:
        """Bring back what a replacement has replaced.

        Raises:
            SnapshotError: as for `replace`.
            OSError: as for `replace`.
        """
        before = self.get(task, last.before)
        return self.replace(task, folder, before, undoes=last.id)

    def last_to_undo(self, task: str | None = None) -> Replacement | None:
        """Return the last reset that is not taken back; of all tasks, or of one."""
        open_ones: dict[str, Replacement] = {}
        for each in self.replacements():
            if each.undoes is None:
                open_ones[each.id] = each
            elif each.done:
                open_ones.pop(each.undoes, None)
        found = [each for each in open_ones.values() if task in (None, each.task)]
        return found[-1] if found else None

    def replacements(self) -> list[Replacement]:
        """Return the log, the oldest first."""
        return list(self._read_log())

    def _read_log(self) -> Iterator[Replacement]:
        log = self.folder / "log"
        names = {entry.name for entry in os.scandir(log)} if log.is_dir() else set()
        for name in sorted(names):
            stem, _, kind = name.partition(".")
            if kind == "json":
                content = json.loads((log / name).read_bytes())
                yield Replacement(id=stem, **content, done=f"{stem}.done" in names)

    def _files(self, kind: str, task: str) -> list[Path]:
        """Return the files of a task's states of that kind, the newest first."""
        folder = self.folder / kind / task
        found = []
        for entry in os.scandir(folder) if folder.is_dir() else ():
            try:
                found.append((entry.stat().st_mtime_ns, Path(entry.path)))
            except FileNotFoundError:  # given up by another lab at this moment
                continue
        return [path for _, path in sorted(found, reverse=True)]
