"""The engine of a Dask cluster: units go to workers on other machines, or on this one.

A worker of the cluster needs the same lab installed, and nothing of the course: the course's checks
travel to each once, and to those that come later. On each of them one worker process of the lab
grades, as on a machine of its own (:mod:`ml_api_class.engines.local`): with its limits, and ended
with all that it has started. A unit that Dask runs twice, since it lost a worker, changes nothing:
its grade is written by its key.

A scheduler takes code from whoever reaches its port. So a submission must not be able to open a
connection, or the cluster must know its members (TLS).
"""

from __future__ import annotations

import io
import shutil
import tempfile
import uuid
import zipfile
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import dask
from distributed import Client, KilledWorker, LocalCluster, WorkerPlugin, get_worker

from ml_api_class import cache_keys
from ml_api_class.engines.local import Limits, LocalEngine
from ml_api_class.errors import ClassError, WorkerEnded
from ml_api_class.grading.unit import Answer, Settings, Unit
from ml_api_lab.errors import LabError
from ml_api_lab.sandbox.hosts import isolation
from ml_api_lab.sandbox.hosts.isolation import NotIsolated

_ALLOWED_FAILURES = 20
"""How many workers may be lost under a unit before Dask gives it up: machines come and go."""

_START_TIMEOUT = "60s"
_PLUGIN = "lab-class"
_CONFIG = {
    "distributed.scheduler.allowed-failures": _ALLOWED_FAILURES,
    # A worker's memory is watched here, by what a submission uses.
    "distributed.worker.memory.terminate": False,
}


@dataclass(frozen=True)
class Cluster:
    """Where to grade.

    Attributes:
        address: of the scheduler, None for a cluster of this machine alone.
        workers: how many workers that has.
    """

    address: str | None
    workers: int

    @property
    def is_secure(self) -> bool:
        """Whether only members can send it code."""
        return self.address is not None and self.address.startswith("tls://")


class _Course(WorkerPlugin):  # type: ignore[misc]  # Dask ships no types
    """Lays the course out on a worker, and keeps the engine that grades there."""

    def __init__(self, settings: Settings, limits: Limits, harness: str, course: bytes) -> None:
        self._settings = settings
        self._limits = limits
        self._harness = harness
        self._course = course
        self._folder: str | None = None
        self._engine: LocalEngine | None = None
        self._problem: str | None = None

    def setup(self, worker: Any) -> None:
        """Unpack the course; called once on each worker."""
        self._folder = tempfile.mkdtemp(prefix="lab-course-")
        with zipfile.ZipFile(io.BytesIO(self._course)) as archive:
            archive.extractall(self._folder)

    def teardown(self, worker: Any) -> None:
        """End what grades there, and remove the course."""
        if self._engine is not None:
            self._engine.close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def problem(self, name: str) -> str:
        """Return why this worker must not grade, "" if it may; looked at once."""
        if self._problem is None:
            self._problem = self._find_problem(name)
        return self._problem

    def _find_problem(self, name: str) -> str:
        if cache_keys.of_harness() != self._harness:
            return (
                f"The Dask worker {name} has another version of the lab; install the one that is "
                "here on all workers, and start them again."
            )
        assert self._folder is not None
        try:
            isolation.choose(self._settings.tier, Path(self._folder))
        except NotIsolated as error:
            return f"The Dask worker {name} cannot confine a submission: {error}"
        return ""

    def grade(self, unit: Unit) -> Answer:
        """Grade a unit, on the one worker process of this worker."""
        if self._engine is None:
            assert self._folder is not None
            settings = replace(self._settings, course=Path(self._folder))
            self._engine = LocalEngine(settings, 1, self._limits, is_guest=True)
        try:
            return self._engine.submit(unit).result()
        except WorkerEnded:
            raise
        except LabError as error:
            return Answer(harness_problem=str(error))


def _grade(unit: Unit) -> Answer | str:
    """Grade a unit on a worker; return a text if the lab's process ended under it."""
    worker = get_worker()
    plugin: _Course = worker.plugins[_PLUGIN]
    if problem := plugin.problem(worker.address):
        return Answer(harness_problem=problem)
    try:
        return plugin.grade(unit)
    except WorkerEnded as error:
        return str(error)


def _problem(dask_worker: Any = None) -> str:
    plugin: _Course = dask_worker.plugins[_PLUGIN]
    return plugin.problem(dask_worker.address)


def _allow_failures(number: int, dask_scheduler: Any = None) -> None:
    dask_scheduler.allowed_failures = max(dask_scheduler.allowed_failures, number)


class DaskEngine:
    """Grades units on a Dask cluster.

    Raises:
        ClassError: the cluster cannot be reached, has no worker or one with another lab, or a
            submission could send it code.
    """

    def __init__(self, cluster: Cluster, settings: Settings, limits: Limits) -> None:
        if settings.tier == "none" and not cluster.is_secure:
            raise ClassError(
                "Without isolation a submission could reach the scheduler, which runs what it is "
                "sent; choose --isolation=best, or a cluster with TLS (dask+tls://HOST:PORT)."
            )
        self._local: Any = None
        self._client: Any = None
        self._futures: dict[str, Any] = {}
        try:
            client = self._connect(cluster)
            course = _packed(settings.course)
            plugin = _Course(settings, limits, cache_keys.of_harness(), course)
            client.register_plugin(plugin, name=_PLUGIN)
            client.run_on_scheduler(_allow_failures, _ALLOWED_FAILURES)
            problems = sorted(filter(None, client.run(_problem).values()))
            if problems:
                raise ClassError(problems[0])
        except BaseException:
            self.close()
            raise

    def _connect(self, cluster: Cluster) -> Any:
        try:
            if cluster.address is None:
                with dask.config.set(_CONFIG):
                    self._local = LocalCluster(
                        n_workers=cluster.workers,
                        threads_per_worker=1,
                        dashboard_address="127.0.0.1:0",
                        memory_limit=None,
                        silence_logs=40,
                    )
            self._client = Client(self._local or cluster.address, timeout=_START_TIMEOUT)
            self._client.wait_for_workers(cluster.workers if self._local else 1, _START_TIMEOUT)
            return self._client
        except (OSError, TimeoutError) as error:
            where = cluster.address or "on this machine"
            raise ClassError(f"The Dask cluster {where} cannot be reached: {error}.") from error

    @property
    def capacity(self) -> int:
        """One unit for each worker, as many as there are now."""
        return max(len(self._client.scheduler_info(n_workers=-1)["workers"]), 1)

    def submit(self, unit: Unit) -> Future[Answer]:
        """Begin to grade a unit somewhere."""
        key = f"lab-class-{uuid.uuid4().hex}"
        future: Future[Answer] = Future()
        future.set_running_or_notify_cancel()
        given = self._client.submit(_grade, unit, key=key, pure=False)
        self._futures[key] = given
        given.add_done_callback(lambda done: self._take(key, done, future))
        return future

    def progress(self) -> list[str]:
        """Return how many units are at work."""
        return [f"{len(self._futures)} on Dask"]

    def close(self) -> None:
        """Give up what is at work, and leave the cluster; end it if it is our own."""
        if self._client is not None:
            with _in_any_case():
                self._client.cancel(list(self._futures.values()), force=True)
            with _in_any_case():
                self._client.unregister_worker_plugin(_PLUGIN)
            self._client.close()
        if self._local is not None:
            self._local.close()

    def _take(self, key: str, done: Any, future: Future[Answer]) -> None:
        """Hand a result on, once the cluster has forgotten it and it counts as at work no more."""
        outcome = _outcome(done)
        with _in_any_case():
            done.release()
        self._futures.pop(key, None)
        if isinstance(outcome, Answer):
            future.set_result(outcome)
        else:
            future.set_exception(outcome)


def _outcome(done: Any) -> Answer | WorkerEnded:
    """Return what grading a unit somewhere came to."""
    try:
        answer: Answer | str = done.result()
    except KilledWorker:
        return WorkerEnded(f"{_ALLOWED_FAILURES} workers of the cluster were lost under it.")
    except BaseException as error:
        return Answer(harness_problem=f"Dask: {type(error).__name__}: {error}")
    return WorkerEnded(answer) if isinstance(answer, str) else answer


@contextmanager
def _in_any_case() -> Iterator[None]:
    """Go on whatever the cluster says: it may be gone."""
    try:
        yield
    except Exception:
        pass


def _packed(course: Path) -> bytes:
    """Return what a worker needs of the course: its checks, and what they depend on."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(course / "pyproject.toml", "pyproject.toml")
        for path in sorted((course / "checks").rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                archive.write(path, path.relative_to(course))
    return packed.getvalue()
