"""The handout has one list of links; each task ends with two or three of them and a question."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.handout.markdown import section
from tests.handout.player import SYLLABUS
from tests.proofs.prover import COURSE

HANDOUT = (COURSE / "docs" / "lab.md").read_text(encoding="utf-8")
PAGES = sorted((COURSE / "checks").glob("task_*/README.md"))
_ENTRY = re.compile(r"^- \[(.+)\]\((\S+)\)$", re.MULTILINE)
_LIST = section(HANDOUT, "## Useful links")
LINKS = _ENTRY.findall(_LIST)
"""The title and the address of each page."""


def test_the_list_holds_links_and_nothing_else() -> None:
    lines = [line for line in _LIST.splitlines() if line.startswith("-")]
    assert len(lines) == len(LINKS)
    titles, addresses = zip(*LINKS, strict=True)
    assert len(set(titles)) == len(titles)
    assert len(set(addresses)) == len(addresses)


@pytest.mark.parametrize(("title", "address"), LINKS, ids=[address for _, address in LINKS])
def test_a_link_has_its_form(title: str, address: str) -> None:
    parts = urlsplit(address)
    assert parts.scheme == "https"
    assert re.fullmatch(r"[a-z0-9.-]+\.[a-z]+", parts.netloc)
    assert not parts.query
    assert title == title.strip()
    # Pages in the reader's own language, where a site has them.
    assert "/en-us/" not in address.lower()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.parent.name)
def test_a_task_ends_with_pages_of_the_list_and_a_question(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    ending = section(text, "## Read on")
    assert text.endswith(ending)
    named = _ENTRY.findall(ending)
    assert 2 <= len(named) <= 3
    assert set(named) <= set(LINKS)
    question = re.search(r"^\*\*Think about it:\*\* (.+)\Z", ending.strip(), re.M | re.DOTALL)
    assert question, "no question"
    assert question[1].endswith("?")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.parent.name)
def test_each_documentation_page_of_a_task_is_in_the_list(page: Path) -> None:
    known = {address for _, address in LINKS}
    found = re.findall(r"\]\((https://[^)\s]+)\)", page.read_text(encoding="utf-8"))
    assert set(found) <= known


def test_the_handout_names_every_task_with_its_points() -> None:
    table = section(HANDOUT, "## The parts and their tasks")
    rows = re.findall(
        r"^\| \[(\d\.\d)\]\(\.\./checks/(\w+)/README\.md\) \| .+ \| (\d+) \| (\d+) min \|$",
        table,
        re.MULTILINE,
    )
    assert [name for _, name, _, _ in rows] == SYLLABUS.names
    assert [number for number, *_ in rows] == [entry.number for entry in SYLLABUS.tasks]
    parts = re.findall(
        r"^\| \*\*Part (\d)\*\* .*\*\*(\d+)\*\* \| \*\*(\d+) min\*\* \|$", table, re.M
    )
    for part, points, minutes in parts:
        own = [(int(p), int(m)) for number, _, p, m in rows if number.startswith(f"{part}.")]
        assert sum(p for p, _ in own) == int(points)
        assert sum(m for _, m in own) == int(minutes)
    assert sum(int(points) for _, points, _ in parts) == 10 * len(SYLLABUS.tasks)
