"""What the tests of the harness share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.toy import Scenes


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
