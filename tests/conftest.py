"""What the tests share: toy courses, scenes of the harness, and the options of the slow proofs."""

from __future__ import annotations

import compileall
import os
import random
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

import ml_api_lab
from ml_api_lab.sandbox.hosts import isolation
from tests.handout.player import Player
from tests.proofs.prover import COURSE, Prover
from tests.support import graded
from tests.support.faults import Outcomes
from tests.support.toy import Course, Scenes
from tests.support.toy_tasks import two_tasks

SHARED = Path(ml_api_lab.__file__).parents[1]

if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    # So a shell starts what it runs in the background, and what a test interrupts inherits it.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure(config: pytest.Config) -> None:
    # Here and not in pyproject.toml, which is the configuration of grades as well.
    config.addinivalue_line("filterwarnings", "error")
    if not hasattr(config, "workerinput"):
        # Some hundred tests start the lab anew, which may be told to write no compiled files.
        compileall.compile_dir(SHARED, quiet=2)
    if config.option.seed is None:
        # One for all workers; the header shows it.
        config.option.seed = random.SystemRandom().randrange(10**6)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Two for each processor: a test waits for processes of its own half of the time."""
    return 2 * (os.cpu_count() or 1)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--runs", type=int, default=10, help="how often busy_machine.py grades all")
    parser.addoption("--update-cards", action="store_true", help="write tests/proofs/cards/ anew")
    parser.addoption("--update-stubs", action="store_true", help="write checks/*/stub.json anew")
    parser.addoption("--update-pictures", action="store_true", help="draw docs/pictures/ anew")
    parser.addoption("--processes", type=int, default=4, help="how many processes keep it busy")


@pytest.fixture(scope="module")
def prover(request: pytest.FixtureRequest) -> Iterator[Prover]:
    """Grades submissions as a run of the course's own checks does, in the tier of `--isolation`."""
    chosen = isolation.choose(request.config.getoption("isolation"), COURSE)
    prover = Prover(confinement=chosen.confinement)
    yield prover
    prover.close()


@pytest.fixture(scope="module")
def drawing_prover(request: pytest.FixtureRequest) -> Iterator[Prover]:
    """Grades as `prover` does, but draws anew in each run: `--seed` repeats one."""
    chosen = isolation.choose(request.config.getoption("isolation"), COURSE)
    prover = Prover(seed=request.config.getoption("seed"), confinement=chosen.confinement)
    yield prover
    prover.close()


@pytest.fixture(scope="module")
def player() -> Iterator[Player]:
    """Plays tasks and programs of the handout, without checks."""
    player = Player()
    yield player
    player.close()


@pytest.fixture(scope="session")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """A toy course of two tasks whose solutions are right and whose exercises are not."""
    return two_tasks(tmp_path_factory.mktemp("toy") / "course")


@pytest.fixture(scope="session")
def small_course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small course, for runs with all reports."""
    return graded.build(tmp_path_factory.mktemp("small") / "course")


@pytest.fixture(scope="session")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenes]:
    """Scenes with a bare interpreter."""
    scenes = Scenes(tmp_path_factory.mktemp("scripts"))
    yield scenes
    scenes.close()


@pytest.fixture(scope="session")
def apps(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenes]:
    """Scenes with FastAPI loaded."""
    scenes = Scenes(tmp_path_factory.mktemp("apps"), "fastapi")
    yield scenes
    scenes.close()


@pytest.fixture(scope="module")
def outcomes(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    """What the checks said of the faults of a module, its FAULTS."""
    return Outcomes(tmp_path_factory.mktemp("faults"), request.module.FAULTS)
