"""The runner: which processes it takes for a submission."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from ml_api_lab.course import syllabus
from ml_api_lab.course.tree import Tree
from ml_api_lab.protocol.messages import ClockName
from ml_api_lab.sandbox.clock import Clock
from ml_api_lab.sandbox.hosts.host_pool import HostPool
from ml_api_lab.sandbox.hosts.pools_of_a_run import SCIKIT_LEARN, HostPools
from ml_api_lab.task import Task
from ml_api_lab.trials.task_runner import TaskRunner
from tests.proofs.prover import COURSE


class Asked(Exception):
    """A host of some kind was asked for."""


class NoHosts(HostPools):
    """Tells which modules a host was to have loaded, and gives none."""

    def get(self, clock: ClockName, modules: tuple[str, ...]) -> HostPool:
        raise Asked(modules)


@pytest.mark.parametrize("science", [False, True])
@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"main.py": "import json\n"}, None),
        ({"main.py": "import json\n", "notes.txt": "sklearn NotImplementedError"}, None),
        ({"main.py": "from sklearn.base import is_classifier\n"}, True),
        ({"main.py": "import models\n", "models.py": "import sklearn.ensemble\n"}, True),
        ({"main.py": "raise NotImplementedError('Task 2.2')\n"}, False),
        ({"main.py": "import sklearn\nraise NotImplementedError('Task 2.2')\n"}, True),
    ],
)
def test_scikit_learn_is_loaded_for_whom_it_helps(
    tmp_path: Path, files: dict[str, str], expected: bool | None, science: bool
) -> None:
    """Who imports it finds it loaded; a stub needs it in no check; for others the check says."""
    folder = tmp_path / "task_2_2"
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")

    async def scene(task: Task, clock: Clock) -> None:
        async with task.serve():
            pass

    entry = syllabus.read(COURSE / "checks" / "syllabus.toml").entry("task_2_2")
    runner = TaskRunner(NoHosts())
    with pytest.raises(Asked) as asked:
        runner.play(
            scene,
            entry,
            Tree("exercises", tmp_path),
            random.Random(1),
            budget=10,
            science=science,
        )
    runner.close()
    (modules,) = asked.value.args
    assert set(SCIKIT_LEARN).issubset(modules) == (science if expected is None else expected)
