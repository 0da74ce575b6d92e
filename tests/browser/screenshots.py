"""The pictures of a class's page in docs/class.md show the page as it is today.

    pytest tests/browser/screenshots.py --update-pictures

writes them anew, from a made-up class. Two machines draw no letter alike, so pictures are not
compared dot by dot: beside each the texts are kept that a reader sees in it, from the top, and the
picture's own digest.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser import made_class
from tests.browser.conftest import Visit
from tests.proofs.prover import COURSE

FOLDER = COURSE / "docs" / "pictures"
SHAPES = Path(__file__).with_name("shapes.json")
WIDTH, HEIGHT = 1280, 800
STUDENTS = 120
UPDATE = "pytest tests/browser/screenshots.py --update-pictures"

_SEEN = """() => {
  const kinds = "h1, h2, h3, caption, th, td, summary, button, label";
  const whole = [...document.querySelectorAll(kinds)];
  return whole
    .filter((each) => each.checkVisibility())
    .filter((each) => {
      const { top, bottom, left, right } = each.getBoundingClientRect();
      const x = (left + right) / 2, y = (top + bottom) / 2;
      if (x < 0 || y < 0 || x > innerWidth || y > innerHeight) return false;
      const on = document.elementFromPoint(x, y);
      return on !== null && (each.contains(on) || on.contains(each));
    })
    .map((each) => each.textContent.trim().slice(0, 60))
    .filter((text) => text !== "");
}"""


def _table(page: Page) -> None:
    page.locator("#map thead th", has_text="Points of").click()
    page.evaluate("document.querySelector('#map-title').scrollIntoView()")


def _mistakes(page: Page) -> None:
    page.locator("#mistakes summary").first.click()
    page.evaluate("document.querySelector('#mistakes-title').scrollIntoView()")


PICTURES: dict[str, Callable[[Page], None]] = {
    "class_table": _table,
    "class_mistakes": _mistakes,
}


def _size(png: bytes) -> tuple[int, int]:
    """Return the width and the height that a PNG file says it has."""
    width, height = struct.unpack(">II", png[16:24])
    return width, height


@pytest.mark.parametrize("name", PICTURES)
def test_the_picture_is_of_today(
    name: str, visit: Callable[..., Visit], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    standings = made_class.standings(STUDENTS)
    opened = visit(
        made_class.write(tmp_path / "class.html", standings),
        viewport={"width": WIDTH, "height": HEIGHT},
        color_scheme="light",
    )
    page = opened.page
    page.wait_for_selector("html[data-ready]", state="attached")
    PICTURES[name](page)
    page.wait_for_timeout(100)
    seen: list[str] = page.evaluate(_SEEN)
    path = FOLDER / f"{name}.png"
    kept: dict[str, Any] = json.loads(SHAPES.read_text("utf-8")) if SHAPES.is_file() else {}
    if request.config.getoption("--update-pictures"):
        path.write_bytes(page.screenshot())
        kept[name] = {"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "seen": seen}
        text = json.dumps(kept, indent=1, sort_keys=True, ensure_ascii=False)
        SHAPES.write_text(text + "\n", encoding="utf-8")
    png = path.read_bytes()
    assert _size(png) == (WIDTH, HEIGHT)
    assert hashlib.sha256(png).hexdigest() == kept[name]["sha256"], UPDATE
    # Fonts differ in height: what is at the lower edge here may be below it elsewhere.
    known = kept[name]["seen"]
    common = min(len(seen), len(known))
    assert seen[: common - common // 5] == known[: common - common // 5], UPDATE
    assert f"(pictures/{name}.png)" in (COURSE / "docs" / "class.md").read_text("utf-8")
