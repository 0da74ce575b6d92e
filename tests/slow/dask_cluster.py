"""Grading on a real local Dask cluster: the same grades, with workers killed meanwhile.

    pytest tests/slow/dask_cluster.py

Slow, and with an extra of its own: ``tox -e dask``.
"""

from __future__ import annotations

import os
import random
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ml_api_class import cache_keys
from ml_api_class.cache_keys import Origin
from ml_api_class.cli.engines import open_engine
from ml_api_class.engines import dask_cluster
from ml_api_class.engines.dask_cluster import Cluster, DaskEngine
from ml_api_class.engines.engine import Engine
from ml_api_class.engines.local import Limits, LocalEngine
from ml_api_class.engines.process_tree import children
from ml_api_class.errors import ClassError, WorkerEnded
from ml_api_class.grading.unit import Settings, Unit
from ml_api_class.journal.journal import Journal
from ml_api_class.journal.records import State
from ml_api_class.supervisor import Supervisor, Totals
from ml_api_class.verdict import outcomes
from ml_api_lab.sandbox.hosts import isolation
from tests.ml_api_class.toy_class import TASKS, origin, put, task_files
from tests.support.toy import LIMIT, Course
from tests.support.toy_tasks import RIGHT, WRONG

DIES = "import os\nos._exit(3)\n"
NEVER_ENDS = "while True:\n    pass\n"
STUDENTS = 12
KILLS = 4
WORKERS = 2

ORIGINS: dict[str, Origin] = {task: origin(task) for task in TASKS}

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@pytest.fixture(scope="module")
def settings(course: Course) -> Settings:
    chosen = isolation.choose("best", course.root)
    return Settings(course.root, TASKS, chosen.tier, 1, 2048)


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    engine = open_engine("dask", settings, WORKERS, Limits(60))
    yield engine
    engine.close()


def is_worker_of_dask(pid: int) -> bool:
    try:
        return b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:  # it has ended
        return False


def run(folder: Path, engine: Engine, on_tick: object = None) -> dict[str, object]:
    """Grade a class of right, wrong and dying programs; return what each came to."""
    folder.mkdir()
    with Journal(folder, can_create=True) as journal:
        for number in range(STUDENTS):
            texts = {"task_0_1": (RIGHT, WRONG, DIES)[number % 3] + f"# {number}\n"}
            put(journal, f"s{number}", {**texts, "task_0_2": RIGHT})
        given = {"on_tick": on_tick} if on_tick else {}
        Supervisor(journal, engine, ORIGINS, **given).run()  # type: ignore[arg-type]  # a function
        standings = list(journal.standings())
    assert {each.state for each in standings} == {State.GRADED}
    return {each.submission.id: outcomes(each.verdicts) for each in standings}


def test_kills_lose_and_double_nothing(settings: Settings, engine: Engine, tmp_path: Path) -> None:
    local = LocalEngine(settings, 1)
    try:
        undisturbed = run(tmp_path / "local", local)
    finally:
        local.close()
    draw = random.Random(1)
    killed: list[int] = []

    def kill(totals: Totals) -> None:
        if len(killed) == KILLS or totals.done < 2 * len(killed):
            return
        workers = list(filter(is_worker_of_dask, children(os.getpid(), recursive=True)))
        if workers:
            victim = draw.choice(workers)
            os.kill(victim, signal.SIGKILL)
            killed.append(victim)

    assert run(tmp_path / "dask", engine, kill) == undisturbed
    print(f"\n{len(killed)} workers of Dask killed under {STUDENTS} submissions: none lost")
    assert len(killed) == KILLS


def test_a_limit_ends_the_labs_process_and_not_dasks_worker(settings: Settings) -> None:
    engine = DaskEngine(Cluster(None, 1), settings, Limits(2))
    try:
        unit = Unit("eve", (("task_0_1", task_files(NEVER_ENDS).pack()),))
        with pytest.raises(WorkerEnded, match="it took more than 2 s"):
            engine.submit(unit).result(LIMIT)
        unit = Unit("ada", (("task_0_1", task_files(WRONG).pack()),))
        (verdict,) = engine.submit(unit).result(LIMIT).verdicts
        assert verdict.checks[0].message == "It printed 'bye'; 'hello' is right."
        assert engine.progress() == ["0 on Dask"]
    finally:
        engine.close()


def test_a_worker_with_another_lab_is_refused(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache_keys, "of_harness", lambda: "another")
    with pytest.raises(ClassError, match="has another version of the lab"):
        DaskEngine(Cluster(None, 1), settings, Limits())


def test_without_isolation_only_a_cluster_with_tls_is_used(course: Course) -> None:
    with pytest.raises(ClassError, match="Without isolation a submission could reach"):
        DaskEngine(Cluster(None, 1), Settings(course.root, TASKS, "none", 1, 0), Limits())


def test_a_cluster_that_nobody_runs_is_told(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dask_cluster, "_START_TIMEOUT", "1s")
    with pytest.raises(ClassError, match="cannot be reached"):
        open_engine("dask://127.0.0.1:9", settings, 1, Limits())
