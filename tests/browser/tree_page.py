"""The page of one tree, as a student opens it: with keys, on paper, in the dark, and hostile."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ml_api_lab.grading.grade import Grade, Outcome
from ml_api_lab.grading.reports import render
from ml_api_lab.grading.timeline import of_transcript
from ml_api_lab.lab_time import Span, seconds
from ml_api_lab.sandbox.transcript import Raised, Transcript
from ml_api_lab.sanitize import sanitize
from tests.browser.conftest import Visit
from tests.support.grades import HOSTILE, synthetic_grade

Open = Callable[..., Visit]

TEXTS = {
    "markup": "</pre></details></svg></style><img src=x onerror='forged=1'><!-- ",
    "script": "<script>window.forged = 1; document.title = 'forged'</script>",
    "attribute": "\" onmouseover=\"forged=1\" ' onfocus='forged=1' autofocus=",
    "right": "\u202e\u2066 \u0627\u0644\u0639\u0631\u0628\u064a\u0629 \u05e2\u05d1 \u200f",
    "long": "x" * 1_000_000,
    "codes": "\x1b[2J\x1b]0;title\x07\x9b1m\x00\x08\x7f",
    "rest": HOSTILE.encode("utf-8", "replace").decode(),
}
OUTCOMES = [
    *(Outcome.PASSED, Outcome.FAILED, Outcome.FAILED, Outcome.NOT_RUN, Outcome.DESELECTED),
    *[Outcome.FAILED] * 5,
]


def graded(said: str = "It said 2; right is 3.") -> Grade:
    grade = synthetic_grade(OUTCOMES, said)
    for result in grade.results.values():
        transcript = Transcript(Path(), Path(), "exercises")
        for start in (0, 1):
            request = transcript.request(Span(seconds(start)), "GET", f"/{said[:50]}", [], b"")
            transcript.answer(seconds(3 + start), request, 200, [], b"")
        transcript.request(Span(seconds(2)), "POST", "/never", [], b"")
        transcript.printed(seconds(2), said[:100])
        transcript.error(Raised(said[:50], "", (), "run", 0, seconds(4)))
        result.timeline = of_transcript(transcript, "What happened when, lab time")
    return grade


def write(path: Path, grade: Grade) -> Path:
    path.write_text(render(grade, "html"), encoding="utf-8", newline="\n")
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write(tmp_path / "grade.html", graded())


def test_it_opens_from_disk_and_asks_for_nothing(visit: Open, path: Path) -> None:
    opened = visit(path)
    assert "of 20 points" in (opened.page.locator("h1").text_content() or "")
    assert opened.page.locator("svg").count() == OUTCOMES.count(Outcome.FAILED)
    assert opened.page.evaluate("document.scripts.length") == 0
    # Its policy lets its own style apply.
    assert opened.page.locator("table").first.evaluate(
        "e => getComputedStyle(e).borderCollapse"
    ) == ("collapse")
    opened.expect_quiet()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_axe_finds_nothing(visit: Open, path: Path, scheme: str, width: int) -> None:
    opened = visit(
        path,
        color_scheme=scheme,
        bypass_csp=True,
        viewport={"width": width, "height": 800},
    )
    opened.expect_accessible()
    wide = opened.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width


def test_keys_lead_to_a_task_and_open_its_cards(visit: Open, path: Path) -> None:
    page = visit(path).page
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#task_0_2"
    page.keyboard.press("Enter")
    assert page.url.endswith("#task_0_2")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
    page.keyboard.press("Tab")
    closed = page.evaluate("document.activeElement.parentElement.open")
    page.keyboard.press("Enter")
    assert (closed, page.evaluate("document.activeElement.parentElement.open")) == (False, True)


def test_paper_has_closed_cards_as_well(visit: Open, path: Path) -> None:
    page = visit(path).page
    card = page.locator("details:not([open]) pre").first
    assert not card.is_visible()
    page.emulate_media(media="print")
    assert card.is_visible()
    assert card.evaluate("e => e.getBoundingClientRect().height") > 20


def test_it_follows_the_readers_scheme(visit: Open, path: Path) -> None:
    seen = {
        scheme: visit(path, color_scheme=scheme).page.evaluate(
            "[getComputedStyle(document.body).backgroundColor, "
            "getComputedStyle(document.querySelector('svg .paper')).fill]"
        )
        for scheme in ("light", "dark")
    }
    assert seen["light"] == ["rgb(255, 255, 255)"] * 2
    assert all(light != dark for light, dark in zip(*seen.values(), strict=True))


def test_whatever_was_said_is_text(visit: Open, tmp_path: Path) -> None:
    for name, said in TEXTS.items():
        grade = graded(said)
        opened = visit(write(tmp_path / f"{name}.html", grade))
        cards = [each.card for each in grade.results.values() if each.card]
        assert opened.page.locator("pre").all_text_contents() == [sanitize(each) for each in cards]
        assert opened.page.evaluate("[window.forged, document.scripts.length]") == [None, 0]
        assert opened.page.locator("img").count() == 0
        opened.expect_quiet()
