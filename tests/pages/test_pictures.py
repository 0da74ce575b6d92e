"""The pictures of a terminal are not stale, and stand in a page with a text in their place.

The table of points takes a grading of all tasks to make: `tox -e docs` compares it as well.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.pages.screens import COLUMNS, FOLDER, SCREENS, UPDATE, shown
from tests.proofs.prover import COURSE
from tests.support.terminal import in_a_terminal

PAGES = [COURSE / "README.md", *sorted((COURSE / "docs").glob("*.md"))]
_SHOWN = re.compile(r"!\[([^\]]*)\]\((?:docs/)?pictures/([\w.]+)\)")


@pytest.mark.parametrize("name", ["card", pytest.param("watch", marks=in_a_terminal)])
def test_a_picture_shows_what_is_printed_today(name: str, tmp_path: Path) -> None:
    drawn = shown((FOLDER / f"{name}.svg").read_text(encoding="utf-8"))
    screen = SCREENS[name](tmp_path / "course")
    assert drawn.command == screen.command
    assert list(drawn.rows) == screen.text, f"{name}.svg is stale; run {UPDATE}"


@pytest.mark.parametrize("name", SCREENS)
def test_a_picture_stands_alone(name: str) -> None:
    """It asks for nothing from elsewhere, and tells nothing of the machine that drew it."""
    text = (FOLDER / f"{name}.svg").read_text(encoding="utf-8")
    tags = {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(text).iter()}
    assert tags.isdisjoint({"script", "image", "foreignObject", "use", "a"})
    assert re.findall(r"https?://[^\"']+", text) == ["http://www.w3.org/2000/svg"]
    assert "url(" not in text.replace("url(#", "")
    drawn = shown(text)
    assert len(drawn.rows) >= 10
    assert max(map(len, drawn.rows)) <= COLUMNS
    assert not [row for row in drawn.rows if os.fspath(Path.home()) in row or "/tmp" in row]


def test_every_picture_stands_in_a_page_with_a_text_in_its_place() -> None:
    found: dict[str, list[str]] = {}
    for page in PAGES:
        for text, file in _SHOWN.findall(page.read_text(encoding="utf-8")):
            found.setdefault(file, []).append(" ".join(text.split()))
    assert sorted(found) == sorted(path.name for path in FOLDER.iterdir())
    assert all(len(text) >= 40 for texts in found.values() for text in texts), found
