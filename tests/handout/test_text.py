"""The handout has all its parts, and its theory is short enough to be read."""

from __future__ import annotations

import re

import pytest

from tests.handout.markdown import section, words
from tests.handout.player import SYLLABUS
from tests.proofs.prover import COURSE

HANDOUT = (COURSE / "docs" / "lab.md").read_text(encoding="utf-8")
_MOST_WORDS = 2_500


def _headings(text: str, level: int) -> list[str]:
    return re.findall(rf"^{'#' * level} (.+)$", re.sub(r"```.*?```", "", text, flags=re.S), re.M)


def test_it_has_all_its_parts() -> None:
    assert _headings(HANDOUT, 2) == [
        "Overview",
        "How to work",
        "Theory",
        "The parts and their tasks",
        "Conclusion",
        "Check yourself",
        "Useful links",
    ]


@pytest.mark.parametrize("part", SYLLABUS.parts)
def test_a_part_has_its_goal_and_what_was_learned(part: str) -> None:
    text = section(HANDOUT, f"### {part}")
    goal, learned = text.index("**Goal:**"), text.index("**Key learning points**")
    assert goal < learned
    assert len(re.findall(r"^- ", text[learned:], re.MULTILINE)) >= 3


def test_the_theory_is_short() -> None:
    assert words(section(HANDOUT, "## Theory")) <= _MOST_WORDS


def test_ten_questions_have_their_answers_folded() -> None:
    text = section(HANDOUT, "## Check yourself")
    numbers = re.findall(r"^<details><summary>(\d+)\. .+\?</summary>$", text, re.MULTILINE)
    assert numbers == [str(number) for number in range(1, 11)]
    assert text.count("</details>") == len(numbers)


@pytest.mark.parametrize("page", ["lab.md", "teaching.md"])
def test_links_within_a_page_lead_to_a_heading(page: str) -> None:
    text = (COURSE / "docs" / page).read_text(encoding="utf-8")
    anchors = {_anchor(each) for level in (1, 2, 3) for each in _headings(text, level)}
    for target in re.findall(r"\]\(#([^)\s]+)\)", text):
        assert target in anchors, target


def _anchor(heading: str) -> str:
    """Return the name that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_no_page_holds_two_versions_of_a_passage() -> None:
    """As an unfinished merge leaves them."""
    pages = [*COURSE.glob("*.md"), *COURSE.glob("docs/**/*.md"), *COURSE.glob("checks/**/*.md")]
    assert len(pages) > 20
    mark = re.compile(r"^(<{7}|={7}|>{7}|\|{7})( |$)", re.MULTILINE)
    assert [each.name for each in pages if mark.search(each.read_text(encoding="utf-8"))] == []
