"""Debian's Chromium, driven by Playwright. Without a browser these tests fail: none is skipped."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

NAMES = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """The browser."""
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    assert path is not None, "There is no Chromium; on Debian: apt-get install chromium"
    # Late: who runs all other tests passes this folder, and has none of it.
    from playwright.sync_api import sync_playwright

    # As root, as in most containers, Chromium's own sandbox does not start.
    arguments = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


class Visit:
    """A page that was opened from disk.

    Attributes:
        requests: the addresses that it asked for, its own the first.
        troubles: what it wrote to the console as an error, threw, or asked with a dialog.
    """

    def __init__(self, page: Page, path: Path) -> None:
        self.page = page
        self.path = path
        self.requests: list[str] = []
        self.troubles: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.troubles.append(str(error)))
        page.on("dialog", self._dismiss)
        page.on(
            "console",
            lambda said: self.troubles.append(said.text) if said.type == "error" else None,
        )
        page.goto(path.as_uri())

    def _dismiss(self, dialog: Any) -> None:
        self.troubles.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def expect_quiet(self) -> None:
        """Expect that nothing was asked for but the page, and nothing went wrong."""
        assert self.requests == [self.path.as_uri()]
        assert self.troubles == []

    def expect_accessible(self) -> None:
        """Expect that axe finds no violation."""
        from axe_playwright_python.sync_playwright import Axe

        # The policy of the pages is lifted in this context alone: axe brings a script of its own.
        found = Axe().run(self.page).response["violations"]
        told = [(each["id"], [node["html"][:200] for node in each["nodes"][:3]]) for each in found]
        assert told == []


@pytest.fixture
def visit(browser: Any) -> Iterator[Any]:
    """Open a page: visit(path, bypass_csp=False, **options of a browser's context)."""
    contexts = []

    def open_page(path: Path, **options: Any) -> Visit:
        options = {"offline": True, "viewport": {"width": 1280, "height": 800}, **options}
        context = browser.new_context(**options)
        contexts.append(context)
        return Visit(context.new_page(), path)

    yield open_page
    for context in contexts:
        context.close()
