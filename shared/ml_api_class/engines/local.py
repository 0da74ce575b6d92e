"""The engine of one machine: worker processes, each watched, recycled and replaced when it ends."""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import ml_api_class
from ml_api_class.engines import process_tree
from ml_api_class.engines.messages import Begin, Progress, Ready
from ml_api_class.errors import WorkerEnded
from ml_api_class.grading.unit import Answer, Settings, Unit
from ml_api_lab.errors import HarnessError
from ml_api_lab.sandbox.files import shared_memory

_PACKAGE_PARENT = Path(ml_api_class.__file__).resolve().parents[1]
_MIN_FREE_BYTES = 2**30
_PREFIX = "lab-class-"
_START_SECONDS = 120.0
_STARTS = 3
_WATCH_SECONDS = 1.0
_LOG_BYTES = 2000
_PROCESSES_OF_A_WORKER = 4
"""How many of a submission's processes may use all the memory that one may have."""


@dataclass(frozen=True)
class Limits:
    """How much a worker may use.

    Attributes:
        seconds: how long a unit may take.
        units: after how many units a worker is replaced by a fresh one.
    """

    seconds: float = 900.0
    units: int = 200


class Worker:
    """One worker process.

    Raises:
        HarnessError: it did not start.
    """

    def __init__(self, settings: Settings, limits: Limits, scratch: Path) -> None:
        self._limits = limits
        self._memory = settings.memory * 2**20 * _PROCESSES_OF_A_WORKER
        self._scratch = scratch
        self._log = tempfile.TemporaryFile()
        path = os.pathsep.join(
            [str(_PACKAGE_PARENT), *filter(None, [os.environ.get("PYTHONPATH")])]
        )
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "ml_api_class.engines.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            cwd=scratch,
            env={**os.environ, "PYTHONPATH": path, "TMPDIR": str(scratch)},
            start_new_session=os.name == "posix",
        )
        self.pid = self._process.pid
        self.graded = 0
        self.done = (0, 0)
        self.unit: Unit | None = None
        self._deadline = time.monotonic() + _START_SECONDS
        self._reason = ""
        self._is_ready = False
        self._send(Begin(settings, str(scratch)))

    def wait_until_ready(self) -> None:
        """Wait until it can grade.

        Raises:
            WorkerEnded: the process ended first.
            HarnessError: it cannot grade at all.
        """
        if not self._is_ready:
            ready = self._receive()
            assert isinstance(ready, Ready)
            if ready.problem:
                raise HarnessError(ready.problem)
            self._is_ready = True

    def grade(self, unit: Unit) -> Answer:
        """Grade a unit; to be called once it is ready.

        Raises:
            WorkerEnded: the process ended, by itself or by a limit.
        """
        self.unit, self.done = unit, (0, 0)
        self._deadline = time.monotonic() + self._limits.seconds
        self._send(unit)
        while isinstance(message := self._receive(), Progress):
            self.done = message.done, message.number
        assert isinstance(message, Answer)
        self.graded += 1
        self.unit = None
        return message

    def watch(self) -> None:
        """End it if it has passed a limit; to be called from time to time by another thread."""
        if self._process.poll() is not None:
            return
        is_busy = self.unit is not None or not self._is_ready
        if is_busy and time.monotonic() > self._deadline:
            seconds = self._limits.seconds if self.unit is not None else _START_SECONDS
            self._end(f"it took more than {seconds:g} s")
        elif self.unit is not None and 0 < self._memory < process_tree.memory(self.pid):
            self._end(f"its processes used more than {self._memory // 2**20} MB of memory")

    def close(self) -> None:
        """End it with all that it has started, and remove its files."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                try:
                    stream.close()
                except OSError:
                    pass
        process_tree.kill(self.pid)
        self._process.wait()
        self._log.close()
        shutil.rmtree(self._scratch, ignore_errors=True)

    def _end(self, reason: str) -> None:
        self._reason = reason
        process_tree.kill(self.pid)

    def _send(self, message: object) -> None:
        assert self._process.stdin is not None
        try:
            pickle.dump(message, self._process.stdin)
            self._process.stdin.flush()
        except OSError:
            raise self._ended() from None

    def _receive(self) -> object:
        assert self._process.stdout is not None
        try:
            return pickle.load(self._process.stdout)
        except (EOFError, OSError, ValueError, pickle.UnpicklingError):
            raise self._ended() from None

    def _ended(self) -> WorkerEnded:
        process_tree.kill(self.pid)
        status = self._process.wait()
        if self._reason:
            return WorkerEnded(f"Grading it was ended: {self._reason}.", is_limit=True)
        self._log.seek(0, os.SEEK_END)
        self._log.seek(max(self._log.tell() - _LOG_BYTES, 0))
        lines = self._log.read().decode("utf-8", "replace").strip().splitlines()
        said = f" ({lines[-1].strip()})" if lines else ""
        how = f"by signal {-status}" if status < 0 else f"with status {status}"
        return WorkerEnded(f"The worker that graded it ended {how}{said}.")


class LocalEngine:
    """Grades units in worker processes of this machine.

    Args:
        workers: how many.
        is_guest: whether this process is somebody else's, whose other children are left alone.
    """

    def __init__(
        self,
        settings: Settings,
        workers: int,
        limits: Limits | None = None,
        *,
        is_guest: bool = False,
    ) -> None:
        self._settings = settings
        self._limits = limits or Limits()
        self._capacity = workers
        self._foreign = set(process_tree.children(os.getpid()))
        self._is_guest = is_guest
        if not is_guest:
            process_tree.adopt_orphans()
        self.scratch = _make_scratch(workers)
        self._workers: dict[int, Worker] = {}
        self._lock = threading.Lock()
        self._is_closed = threading.Event()
        self._threads = ThreadPoolExecutor(workers, "worker")
        self._watching = threading.Thread(target=self._watch, daemon=True)
        self._watching.start()

    @property
    def capacity(self) -> int:
        return self._capacity

    def submit(self, unit: Unit) -> Future[Answer]:
        """Begin to grade a unit, as soon as a worker is free."""
        return self._threads.submit(self._grade, unit)

    def progress(self) -> list[str]:
        """Return what each worker is at."""
        with self._lock:
            at_work = list(self._workers.values())
        told = []
        for worker in at_work:
            unit, (done, number) = worker.unit, worker.done
            if unit is not None:
                told.append(f"{unit.submission} {done}/{number}" if number else unit.submission)
        return told

    def pids(self) -> list[int]:
        """Return the numbers of the worker processes."""
        with self._lock:
            return [each.pid for each in self._workers.values()]

    def close(self) -> None:
        """End all workers, with all that they have started."""
        self._is_closed.set()
        self._watching.join()
        with self._lock:
            workers = list(self._workers.values())
        for worker in workers:
            process_tree.kill(worker.pid)
        self._threads.shutdown(cancel_futures=True)
        with self._lock:
            self._workers.clear()
        for worker in workers:
            worker.close()
        self._end_orphans(set())
        shutil.rmtree(self.scratch, ignore_errors=True)
        shared_memory.sweep_shared_memory()

    def _grade(self, unit: Unit) -> Answer:
        slot = threading.get_ident()
        worker = self._ready_worker(slot)
        try:
            answer = worker.grade(unit)
        except BaseException:
            self._discard(slot)
            raise
        if worker.graded >= self._limits.units:
            self._discard(slot)
        return answer

    def _ready_worker(self, slot: int) -> Worker:
        """Return the worker of this thread; one that ends while it starts is no unit's doing."""
        for _ in range(_STARTS):
            try:
                worker = self._worker(slot)
                worker.wait_until_ready()
            except WorkerEnded as error:
                problem = str(error)
                self._discard(slot)
            except BaseException:
                self._discard(slot)
                raise
            else:
                return worker
        raise HarnessError(f"No worker started, tried {_STARTS} times. {problem}")

    def _worker(self, slot: int) -> Worker:
        with self._lock:
            if self._is_closed.is_set():
                raise WorkerEnded("The run ends.")
            if slot not in self._workers:
                # No submission can guess it: what one does leads to no other's files.
                scratch = Path(tempfile.mkdtemp(dir=self.scratch))
                self._workers[slot] = Worker(self._settings, self._limits, scratch)
            return self._workers[slot]

    def _discard(self, slot: int) -> None:
        with self._lock:
            if self._is_closed.is_set():
                return  # `close` ends it
            worker = self._workers.pop(slot, None)
            if worker is None:
                return
            worker.close()
            self._end_orphans({each.pid for each in self._workers.values()})

    def _end_orphans(self, workers: set[int]) -> None:
        if not self._is_guest:
            process_tree.end_orphans(self._foreign | workers)

    def _watch(self) -> None:
        while not self._is_closed.wait(_WATCH_SECONDS):
            with self._lock:
                workers = list(self._workers.values())
            for worker in workers:
                worker.watch()


def _make_scratch(workers: int) -> Path:
    """Make a folder for all temporary files of a run; remove those of runs that were killed."""
    places = [Path(tempfile.gettempdir())]
    can_share = "TMPDIR" not in os.environ and os.access(shared_memory.FOLDER, os.W_OK | os.X_OK)
    if can_share and shutil.disk_usage(shared_memory.FOLDER).free > workers * _MIN_FREE_BYTES:
        places.insert(0, Path(shared_memory.FOLDER))
    for place in places:
        for folder in place.glob(f"{_PREFIX}*"):
            if _is_left_behind(folder):
                shutil.rmtree(folder, ignore_errors=True)
    prefix = f"{_PREFIX}{os.getpid()}-{process_tree.began(os.getpid())}-"
    return Path(tempfile.mkdtemp(prefix=prefix, dir=places[0])).resolve()


def _is_left_behind(folder: Path) -> bool:
    """Whether the process that made a folder of that name is gone."""
    pid, _, rest = folder.name.removeprefix(_PREFIX).partition("-")
    if not pid.isdecimal():
        return False
    return process_tree.began(int(pid)) != rest.partition("-")[0]
