"""Random sequences of edit, grade, reset, undo and kill -9, which must lose no byte.

    python -m tests.support.kept_work --sequences 2000 --seed 1

Each step that writes runs in a fork. To kill it at every place that matters, the fork counts what
Python's audit hooks tell of (files opened, renamed, removed, folders made) and sends itself SIGKILL
before one of them, drawn at random.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from ml_api_lab.course import stubs
from ml_api_lab.course.snapshot import Snapshot
from ml_api_lab.progress.folder import lab_folder
from ml_api_lab.progress.record import keep_snapshots
from ml_api_lab.progress.snapshots import Snapshots

TASK = "task_0_1"
NAMES = ("main.py", ".env", "helper.py", "data/words.txt", "data/more/x.bin", "\u00fcber.py")
STUB = {"main.py": b"raise NotImplementedError()\n", ".env": b"KEY=\n"}
STEPS = 12
_MOST_EVENTS = 40
_COUNTED = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.symlink", "os.chmod"}


class LostError(Exception):
    """Something that a student had written is nowhere any more."""


class Sequence:
    """One sequence, in a folder of its own."""

    def __init__(self, course: Path, draw: random.Random, seen: Counter[str]) -> None:
        self.course = course
        self.folder = course / "exercises" / TASK
        self.states = Snapshots(lab_folder(course))
        self.draw = draw
        self.seen = seen
        self.graded: set[str] = set()
        self.replaced: dict[str, Snapshot] = {}
        self.folder.mkdir(parents=True)
        (course / "checks" / TASK).mkdir(parents=True)
        for name, data in STUB.items():
            (self.folder / name).write_bytes(data)
        stubs.write(course, TASK)

    def play(self) -> None:
        """Play all steps.

        Raises:
            LostError: something was lost.
        """
        steps = [self.edit, self.edit, self.grade, self.reset, self.reset, self.undo]
        for _ in range(STEPS):
            self.draw.choice(steps)()
        for digest, state in self.replaced.items():
            self._require(self.states.get(TASK, digest) == state, "what was replaced")
        for digest in self.graded:
            self._require(digest in self.states.known(TASK), "what was graded")

    def edit(self) -> None:
        """Do what a student does to a file: write it, remove it, make it something else."""
        path = self.folder / self.draw.choice(NAMES)
        kind = self.draw.choice(["write", "write", "write", "remove", "link", "run"])
        if path.is_symlink() or (path.exists() and kind == "remove"):
            path.unlink()
        elif kind == "link":
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            path.symlink_to(self.draw.choice(["main.py", "nowhere"]))
        elif kind == "run" and path.exists():
            path.chmod(0o755)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(self.draw.randbytes(self.draw.randrange(40)))

    def grade(self) -> None:
        """Grade, which keeps the state."""
        state = Snapshot.read(self.folder)
        whole = self._in_fork(lambda: keep_snapshots(self.course, [TASK]))
        self._require(Snapshot.read(self.folder) == state, "the folder, by a grade")
        if whole and state.names:
            self.graded.add(state.id)

    def reset(self) -> None:
        self._replace(stubs.read(self.course, TASK), None)

    def undo(self) -> None:
        last = self.states.last_to_undo(TASK)
        if last is not None:
            self._replace(self.states.get(TASK, last.before), last.id)

    def _replace(self, after: Snapshot, undoes: str | None) -> None:
        before = Snapshot.read(self.folder)
        whole = self._in_fork(lambda: self.states.replace(TASK, self.folder, after, undoes=undoes))
        now = Snapshot.read(self.folder)
        if whole:
            self._require(now.differing(after) == [], "what should be there")
        if now != before or whole:
            self._require(self.states.get(TASK, before.id) == before, "what was there before")
            self.replaced[before.id] = before
        for name in before.differing(now):
            self.seen["files replaced"] += 1
            is_whole = now.get(name) == after.get(name)
            self._require(is_whole, f"{name}, which is neither the old nor the new one")
        if not whole and now != before:
            self.seen["killed halfway"] += 1
            self._require_way_back(before, undoes)

    def _require_way_back(self, before: Snapshot, undoes: str | None) -> None:
        """Half a reset must be undone by one undo; half an undo be finished by the next."""
        last = self.states.last_to_undo(TASK)
        if last is None:
            raise LostError("there is no way back")
        wanted = before if undoes is None else self.states.get(TASK, last.before)
        self._require(undoes in (None, last.id), "the undo that was cut off")
        current = Snapshot.read(self.folder)
        self.states.undo(TASK, self.folder, last)
        self.replaced[current.id] = current
        self._require(Snapshot.read(self.folder).differing(wanted) == [], "the way back")

    def _in_fork(self, step: Callable[[], object]) -> bool:
        """Do a step in a fork that may be killed; return whether it came to its end."""
        kill_at = self.draw.randrange(_MOST_EVENTS) if self.draw.random() < 0.7 else None
        pid = os.fork()
        if pid == 0:
            if kill_at is not None:
                _kill_before_event(kill_at)
            try:
                step()
            except BaseException as error:
                print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
                os._exit(1)
            os._exit(0)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        if status not in (0, -signal.SIGKILL):
            raise LostError(f"a step ended with {status}")
        self.seen["killed" if status else "whole"] += 1
        return status == 0

    def _require(self, holds: bool, what: str) -> None:
        if not holds:
            raise LostError(f"lost: {what}")


def _kill_before_event(number: int) -> None:
    """Have this process kill itself before its event of that number."""
    left = number

    def count(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal left
        if event in _COUNTED:
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)


def play(sequences: int, seed: int) -> Counter[str]:
    """Play that many sequences; return what happened how often.

    Raises:
        LostError: one of them lost something; the message names it.
    """
    seen: Counter[str] = Counter()
    shared = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    for number in range(sequences):
        folder = Path(tempfile.mkdtemp(prefix="kept-", dir=shared))
        draw = random.Random(f"{seed} {number}")
        try:
            Sequence(folder / "course", draw, seen).play()
        except Exception as error:
            raise LostError(f"sequence {number} of seed {seed}: {error}") from error
        finally:
            shutil.rmtree(folder)
    return seen


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sequences", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print(dict(play(options.sequences, options.seed)))
