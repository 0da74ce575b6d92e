"""The pools of a run: as few as serve all of its checks."""

from __future__ import annotations

import pytest

from ml_api_lab.course import syllabus
from ml_api_lab.course.catalog import Catalog
from ml_api_lab.protocol.confinement import Confinement
from ml_api_lab.protocol.messages import ClockName
from ml_api_lab.sandbox.hosts import pools_of_a_run
from ml_api_lab.sandbox.hosts.pools_of_a_run import SCIKIT_LEARN, HostPools, Kind
from tests.proofs.prover import COURSE


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Kind]:
    """The kinds of the pools that are made; none starts a process."""
    kinds: list[Kind] = []

    class NoPool:
        def __init__(
            self,
            clock: ClockName,
            modules: tuple[str, ...],
            *,
            fork: bool,
            confinement: Confinement,
        ) -> None:
            kinds.append((clock, modules))

        def close(self) -> None:
            pass

    monkeypatch.setattr(pools_of_a_run, "HostPool", NoPool)
    return kinds


@pytest.mark.parametrize("tree", ["exercises", "solutions"])
def test_what_is_to_be_graded_says_what_is_started(made: list[Kind], tree: str) -> None:
    """A stub raises before it would need scikit-learn, which takes a second to load."""
    read = syllabus.read(COURSE / "checks" / "syllabus.toml")
    entries = [read.entry(name) for name in ("task_2_1", "task_3_1")]
    pools = HostPools()
    pools.start(entries, Catalog(COURSE, read), lambda task: COURSE / tree / task)
    pools.close()
    is_loaded = any(set(SCIKIT_LEARN) <= set(modules) for _, modules in made)
    assert made
    assert is_loaded == (tree == "solutions")


@pytest.mark.parametrize("backwards", [False, True])
def test_a_pool_with_more_serves_those_that_ask_for_less(made: list[Kind], backwards: bool) -> None:
    read = syllabus.read(COURSE / "checks" / "syllabus.toml")
    names = ["task_0_1", "task_1_2", "task_1_3", "task_3_1", "task_5_1"]
    entries = [read.entry(name) for name in names]
    pools = HostPools()
    pools.start(entries[::-1] if backwards else entries, Catalog(COURSE, read))
    pools.close()
    most = read.entry("task_5_1").preload
    assert sorted(made) == sorted(
        [("lab", ()), ("lab", most), ("lab", most + SCIKIT_LEARN), ("real", most)]
    )
