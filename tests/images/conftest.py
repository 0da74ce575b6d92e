"""What the tests of images share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ml_api_lab.images.dockerfile import read
from ml_api_lab.images.image import Image
from tests.support.images import Images

Build = Callable[..., Image]


@pytest.fixture
def images(tmp_path: Path) -> Iterator[Images]:
    images = Images(tmp_path / "tree")
    yield images
    images.runner.close()


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """Read the image of a Dockerfile in a folder with these files."""

    def build(dockerfile: str, *names: str, ignore: str | None = None) -> Image:
        for name in names or ("main.py", "auth.py", "requirements.txt"):
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"content of {name}\n")
        (tmp_path / "Dockerfile").write_text(dockerfile)
        if ignore is not None:
            (tmp_path / ".dockerignore").write_text(ignore)
        return read(tmp_path)

    return build
