"""A worker: a process that grades the units which it is given, one after the other.

It reads units from its standard input and writes answers to its standard output; both sides are the
lab's own, and what a submission prints goes elsewhere. When its input ends, as it does when the
supervisor was killed, it ends at once with all that it has started.
"""

from __future__ import annotations

import os
import pickle
import queue
import shutil
import signal
import sys
import threading
from typing import BinaryIO

from ml_api_class.engines.messages import Begin, Progress, Ready
from ml_api_class.engines.process_tree import adopt_orphans, kill_below
from ml_api_class.grading.unit import Answer, Unit
from ml_api_lab.errors import LabError

_OOM_SCORE = "500"
"""Whom the kernel ends first where memory runs out: a worker, and not the supervisor."""


class _Channel:
    """What a worker reads and writes, taken from where a check could print."""

    def __init__(self) -> None:
        self._source: BinaryIO = os.fdopen(os.dup(0), "rb")
        self._target: BinaryIO = os.fdopen(os.dup(1), "wb")
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.dup2(2, 1)
        self._lock = threading.Lock()

    def receive(self) -> object:
        """Return the next message.

        Raises:
            EOFError: there is nobody on the other side any more.
        """
        return pickle.load(self._source)

    def send(self, message: object) -> None:
        """Send a message; one that nobody hears is lost."""
        with self._lock:
            try:
                pickle.dump(message, self._target)
                self._target.flush()
            except OSError:
                pass


def _limit_memory(megabytes: int) -> None:
    """Limit what this process, and each that it starts, may have for itself (Linux alone can)."""
    if sys.platform == "linux":
        import resource  # not there on Windows

        if megabytes:
            resource.setrlimit(resource.RLIMIT_DATA, (megabytes * 2**20,) * 2)
        try:
            with open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
                file.write(_OOM_SCORE)
        except OSError:
            pass


def _read(channel: _Channel, units: queue.SimpleQueue[Unit], scratch: str) -> None:
    while True:
        try:
            message = channel.receive()
        except (EOFError, OSError):
            kill_below(os.getpid())
            shutil.rmtree(scratch, ignore_errors=True)
            os._exit(0)
        assert isinstance(message, Unit)
        units.put(message)


def main() -> None:
    """Grade until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the supervisor's affair
    channel = _Channel()
    begin = channel.receive()
    assert isinstance(begin, Begin)
    adopt_orphans()
    _limit_memory(begin.settings.memory)
    units: queue.SimpleQueue[Unit] = queue.SimpleQueue()
    reader = threading.Thread(target=_read, args=(channel, units, begin.scratch), daemon=True)
    reader.start()
    # Late, so that a supervisor that ends at once is heard while all of this is loaded.
    from ml_api_class.grading.unit_grader import UnitGrader

    try:
        grader = UnitGrader(begin.settings)
    except LabError as error:
        channel.send(Ready(str(error)))
        return
    channel.send(Ready())
    while True:
        unit = units.get()
        try:
            answer = grader.grade(unit, lambda done, number: channel.send(Progress(done, number)))
        except Exception as error:  # whatever it is, it is no 0 of the submission
            answer = Answer(harness_problem=f"{type(error).__name__}: {error}")
        channel.send(answer)


if __name__ == "__main__":
    main()
