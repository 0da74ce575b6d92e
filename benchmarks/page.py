"""How large the page of a class is, and how soon it can be used.

    python benchmarks/page.py [--students N ...] [--rounds N]

The class is made up (tests/browser/made_class.py): the course's own tasks, with cards that differ
as real ones do. The browser is Chromium without a window, and all times are its own, in
milliseconds: from the beginning of the navigation until the page is drawn and takes input, and from
a click on a column's name until the table is in the other order. The median of the rounds is told,
and the slowest one.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from playwright.sync_api import Browser, sync_playwright  # noqa: E402 - with the extra `browser`

from tests.browser import made_class  # noqa: E402 - from the course

_SORT = """(column) => {
  const head = document.querySelector(`#map thead [data-column="${column}"]`);
  const start = performance.now();
  head.click();
  document.querySelector("#map").getBoundingClientRect();
  return performance.now() - start;
}"""
_COLUMNS = (0, 1, 3, 10)


def measure(browser: Browser, path: Path, rounds: int) -> tuple[list[float], list[float]]:
    """Return how long opening and sorting took, in milliseconds."""
    opened, sorted_ = [], []
    for _ in range(rounds):
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(path.as_uri())
        page.wait_for_selector("html[data-ready]", state="attached", timeout=60_000)
        opened.append(float(page.evaluate("Number(document.documentElement.dataset.ready)")))
        sorted_ += [float(page.evaluate(_SORT, column)) for column in _COLUMNS]
        page.close()
    return opened, sorted_


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--students", type=int, nargs="+", default=[1_000, 10_000])
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        raise SystemExit("There is no Chromium; on Debian: apt-get install chromium")
    root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    print(f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores{load}")
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=chromium, args=root)
        print(f"Chromium {browser.version}")
        for number in asked.students:
            standings = made_class.standings(number)
            start = time.process_time()
            path = made_class.write(Path(folder) / f"{number}.html", standings)
            seconds = time.process_time() - start
            opened, sorted_ = measure(browser, path, asked.rounds)
            print(
                f"{number:>6} students x {len(made_class.SYLLABUS.tasks)} tasks: "
                f"{path.stat().st_size / 1e6:.2f} MB, written in {seconds:.1f} CPU s; "
                f"usable after {statistics.median(opened):.0f} ms (slowest {max(opened):.0f}), "
                f"sorted in {statistics.median(sorted_):.0f} ms (slowest {max(sorted_):.0f})"
            )
        browser.close()


if __name__ == "__main__":
    main()
