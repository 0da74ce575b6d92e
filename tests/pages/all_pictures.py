"""Every picture of a terminal in docs/pictures/ is what the lab prints today, dot by dot.

    pytest tests/pages/all_pictures.py --update-pictures

draws them anew. It needs rich, and takes as long as a grading of all tasks: `tox -e docs` runs it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pages.screens import FOLDER, SCREENS, UPDATE, draw, shown


@pytest.mark.parametrize("name", SCREENS)
def test_the_picture_is_of_today(name: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    screen = SCREENS[name](tmp_path / "course")
    file = FOLDER / f"{name}.svg"
    svg = draw(name, screen)
    if request.config.getoption("--update-pictures"):
        file.write_text(svg, encoding="utf-8")
    assert file.read_text(encoding="utf-8") == svg, f"{file.name} is stale; run {UPDATE}"
    assert list(shown(svg).rows) == screen.text
