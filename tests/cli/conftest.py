"""A toy course of its own for each test, and `lab` in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.lab import Lab, keep_stubs
from tests.support.toy_tasks import two_tasks


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Lab:
    course = keep_stubs(two_tasks(tmp_path / "course"))
    readme = "Build it.\n<details><summary>Hint 1</summary>\n\nLook.\n</details>\n"
    readme += "<details><summary>Hint 2</summary>Think.</details>\n"
    (course.root / "checks" / "task_0_1" / "README.md").write_text(readme, encoding="utf-8")
    return Lab(course.root, monkeypatch, capsys)
