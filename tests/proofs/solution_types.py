"""Each task's solution by itself is strictly typed, as a student would find it in its folder.

    pytest tests/proofs/solution_types.py

A folder at a time, since each has a main.py of its own. Part of ``tox -e lint``.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.proofs.prover import COURSE

FOLDERS = sorted({path.parent for path in (COURSE / "solutions").glob("task_*/*.py")})


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What mypy keeps of the packages, for all folders."""
    return tmp_path_factory.mktemp("mypy")


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_strictly_typed(folder: Path, cache: Path) -> None:
    # The lab's own settings are not those of a task, and scikit-learn has no types to offer.
    options = ["--strict", "--config-file=", "--disable-error-code=import-untyped"]
    run = subprocess.run(
        [sys.executable, "-m", "mypy", *options, f"--cache-dir={cache}", "."],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
