"""The page of one tree: it runs nothing, asks for nothing, and all that was said is text."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest

from ml_api_lab.grading.grade import Grade, Outcome
from ml_api_lab.grading.reports import render
from ml_api_lab.grading.timeline import Bar, Lane, Mark, Panel, TimeLine
from ml_api_lab.lab_time import seconds
from ml_api_lab.sanitize import sanitize
from tests.support.grades import HOSTILE, synthetic_grade
from tests.support.html_pages import Element, parse

TEXTS = {
    "markup": "</pre></details></svg></style><img src=x onerror=alert(1)><!-- ",
    "script": "<script>document.title = 'forged'</script><svg onload=alert(1)>",
    "attribute": "\" onmouseover=\"alert(1)\" ' onfocus='alert(1)' autofocus=",
    "right to left": "\u202e\u2066 \u0627\u0644\u0639\u0631\u0628\u064a\u0629 \u05e2\u05d1 \u200f",
    "a line of 1 MB": "x" * 1_000_000,
    "codes of terminals": "\x1b[2J\x1b]0;title\x07\x9b1m\x00\x08\x7f",
    "all of the rest": HOSTILE,
}
MIXED = [Outcome.PASSED, Outcome.FAILED, Outcome.NOT_RUN, Outcome.DESELECTED, Outcome.FAILED]


def page_of(grade: Grade) -> Element:
    return parse(render(grade, "html"))


def with_timelines(said: str) -> Grade:
    grade = synthetic_grade(MIXED, said)
    for result in grade.results.values():
        lanes = (
            Lane(f"POST /{said[:100]}", (Bar(0, seconds(2), said[:50]),)),
            Lane("printed", marks=(Mark(seconds(1), said[:50]),)),
        )
        result.timeline = TimeLine("What happened when, lab time", (Panel(lanes),))
    return grade


@pytest.mark.parametrize("said", TEXTS.values(), ids=TEXTS)
def test_whatever_was_said_is_text(said: str) -> None:
    page = page_of(with_timelines(said))
    assert page.shape == page_of(with_timelines("It said 2; right is 3.")).shape
    assert page.all("script") == []
    names = {name for element in everything(page) for name in element.attributes}
    assert [name for name in names if name.startswith("on") or name == "style"] == []
    for card in page.all("pre"):
        assert (
            re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", card.text) is None
        )


def everything(element: Element) -> list[Element]:
    return [element, *(each for child in element.children for each in everything(child))]


def test_a_card_stands_there_as_it_is_in_the_terminal() -> None:
    grade = synthetic_grade(MIXED, TEXTS["markup"])
    cards = [each.card for each in grade.results.values() if each.card]
    assert [each.text for each in page_of(grade).all("pre")] == [f"\n{sanitize(c)}" for c in cards]


def test_it_asks_for_nothing_and_may_run_nothing() -> None:
    text = render(with_timelines("It said 2; right is 3."), "html")
    page = parse(text)
    (policy,) = [
        each.attributes["content"]
        for each in page.all("meta")
        if each.attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    (style,) = page.all("style")
    digest = base64.b64encode(hashlib.sha256(style.text.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'"
    assert "url(" not in style.text and "@import" not in style.text
    asking = {"src", "srcset", "href", "action", "data", "poster", "xlink:href"}
    addresses = [
        value
        for element in everything(page)
        for name, value in element.attributes.items()
        if name in asking
    ]
    assert addresses != []
    assert [each for each in addresses if not each.startswith("#")] == []


def test_its_headings_links_and_tables_are_real() -> None:
    page = page_of(with_timelines("It said 2; right is 3."))
    ids = [each.attributes["id"] for each in everything(page) if "id" in each.attributes]
    assert len(ids) == len(set(ids))
    for link in page.all("a"):
        assert link.attributes["href"].removeprefix("#") in ids
    for picture in page.all("svg"):
        assert set(picture.attributes["aria-labelledby"].split()) <= set(ids)
    assert len(page.all("h1")) == len(page.all("main")) == 1
    assert len(page.all("svg")) == len(page.all("details")) == MIXED.count(Outcome.FAILED)
    for table in page.all("table"):
        assert table.all("th") != []
        assert all("scope" in each.attributes for each in table.all("th"))


def test_notes_of_the_run_are_told() -> None:
    grade = synthetic_grade(MIXED, ended="interrupted")
    told = page_of(grade).all("header")[0].text
    assert "This is no whole run: interrupted." in told
    assert "seed 1, isolation none" in told
