"""The handout's pictures show what the tasks do today, and their text alternatives say it."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from ml_api_lab.grading.timeline import svg
from tests.handout.pictures import PICTURES
from tests.handout.player import Player
from tests.proofs.prover import COURSE

HANDOUT = COURSE / "docs" / "lab.md"
FOLDER = COURSE / "docs" / "pictures"
UPDATE = "pytest tests/handout/test_pictures.py --update-pictures"
_SHOWN = re.compile(r"!\[(.*?)\]\(pictures/(\w+)\.svg\)", re.DOTALL)


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_what_happens(
    name: str, player: Player, request: pytest.FixtureRequest
) -> None:
    line = PICTURES[name](player)
    file = FOLDER / f"{name}.svg"
    if request.config.getoption("--update-pictures"):
        FOLDER.mkdir(exist_ok=True)
        file.write_text(svg(line), encoding="utf-8")
        text = HANDOUT.read_text(encoding="utf-8")
        shown = f"![{line.description}](pictures/{name}.svg)"
        HANDOUT.write_text(
            _SHOWN.sub(lambda match: shown if match[2] == name else match[0], text),
            encoding="utf-8",
        )
    assert file.read_text(encoding="utf-8") == svg(line), f"{file.name} is stale; run {UPDATE}"
    alternatives = {
        match[2]: match[1] for match in _SHOWN.finditer(HANDOUT.read_text(encoding="utf-8"))
    }
    assert alternatives[name] == line.description, f"its text is stale; run {UPDATE}"


def test_every_picture_is_drawn_and_shown() -> None:
    shown = [match[2] for match in _SHOWN.finditer(HANDOUT.read_text(encoding="utf-8"))]
    files = [path.stem for path in FOLDER.glob("task_*.svg")]
    assert sorted(shown) == sorted(files) == sorted(PICTURES)


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_stands_alone(name: str) -> None:
    """It has both schemes and a text alternative, and asks for nothing from elsewhere."""
    text = (FOLDER / f"{name}.svg").read_text(encoding="utf-8")
    root = ElementTree.fromstring(text)
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert {"title", "desc", "style"} <= tags
    assert tags.isdisjoint({"script", "image", "foreignObject", "use", "a"})
    assert "prefers-color-scheme:dark" in text
    assert re.findall(r"https?://[^\"']+", text) == ["http://www.w3.org/2000/svg"]
