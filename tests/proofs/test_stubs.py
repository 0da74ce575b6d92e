"""The kept stubs are what `exercises` hands out.

``pytest tests/proofs/test_stubs.py --update-stubs`` writes them anew.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ml_api_lab.progress import stub
from ml_api_lab.progress.state import State
from tests.proofs.prover import COURSE, LEFT_OUT, Prover


@pytest.mark.parametrize("task", Prover.tasks())
def test_the_kept_stub_is_what_is_handed_out(
    task: str, pytestconfig: pytest.Config, tmp_path: Path
) -> None:
    if pytestconfig.getoption("--update-stubs"):
        stub.write(COURSE, task)
    folder = shutil.copytree(COURSE / "exercises" / task, tmp_path / task, ignore=LEFT_OUT)
    differing = stub.read(COURSE, task).differing(State.read(folder))
    assert differing == [], (
        f"checks/{task}/stub.json has another {', '.join(differing)} than exercises/{task}; run "
        f"pytest tests/proofs/test_stubs.py -k {task} --update-stubs"
    )


@pytest.mark.parametrize("task", Prover.tasks())
def test_it_is_known_where_the_work_is(task: str) -> None:
    assert 1 <= len(stub.files_to_edit(COURSE, task)) <= 4
