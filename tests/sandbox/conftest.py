"""Workspaces, for tests of what they hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ml_api_lab.sandbox.files.workspace import Workspace, sweep


@pytest.fixture
def original(tmp_path: Path) -> Path:
    folder = tmp_path / "original"
    folder.mkdir()
    return folder


@pytest.fixture
def copy(original: Path) -> Iterator[Callable[[], Workspace]]:
    """Copies the original."""
    made: list[Workspace] = []

    def make() -> Workspace:
        made.append(Workspace(original, "task_0_1", "exercises/task_0_1", original.parent))
        return made[-1]

    yield make
    for each in made:
        each.close()
    sweep()
