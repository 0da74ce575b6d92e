"""The page of a class, as an instructor uses it: with a mouse, with keys, on paper, in the dark."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ml_api_class.journal.records import State
from ml_api_class.page.mistakes import key_of
from ml_api_lab.sanitize import sanitize
from tests.browser import made_class
from tests.browser.conftest import Visit
from tests.browser.tree_page import TEXTS

STUDENTS = 300
CLASS = made_class.standings(STUDENTS)
GRADED = [each for each in CLASS if each.state == State.GRADED]
Open = Callable[..., Visit]


@pytest.fixture(scope="session")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_class.write(tmp_path_factory.mktemp("page") / "class.html", CLASS)


@pytest.fixture
def opened(visit: Open, path: Path) -> Visit:
    return ready(visit(path))


def ready(opened: Visit) -> Visit:
    opened.page.wait_for_selector("html[data-ready]", state="attached")
    return opened


def column(opened: Visit, number: int) -> list[str]:
    """Return what a column says, from the top, of the rows that are drawn."""
    texts: list[str] = opened.page.locator(f"#rows [data-column='{number}']").all_text_contents()
    return texts


def active(opened: Visit) -> tuple[str, str]:
    """Return the row and the column of the cell that has the focus."""
    found: dict[str, str] = opened.page.evaluate("({...document.activeElement.dataset})")
    return found["row"], found["column"]


def test_it_opens_from_disk_and_asks_for_nothing(opened: Visit) -> None:
    assert opened.page.locator("h1").text_content() == made_class.SYLLABUS.title
    assert (
        opened.page.locator("#shown").text_content() == f"{STUDENTS} of {STUDENTS} students shown."
    )
    scores = [each.score for each in GRADED]
    late = sum(bool(each.submission.person.is_late) for each in CLASS)
    told = opened.page.locator("#totals").text_content() or ""
    assert told.startswith(
        f"{len(GRADED)} graded, {STUDENTS - len(GRADED)} without a grade, {late} late. "
        f"Mean {sum(scores) / len(scores):.1f}, "
    )
    bars = opened.page.locator("#distribution tbody .number").all_text_contents()
    assert sum(map(int, bars)) == len(GRADED)
    opened.expect_quiet()


def test_rows_are_drawn_as_they_are_seen(opened: Visit) -> None:
    assert 0 < opened.page.locator("#rows tr").count() < 60
    # From the first picture on, the whole height of the table is full of them.
    bottom = opened.page.locator("#scroller").evaluate("e => e.getBoundingClientRect().bottom")
    last = opened.page.locator("#rows tr").last.evaluate("e => e.getBoundingClientRect().bottom")
    assert last >= bottom
    assert opened.page.locator("#map").get_attribute("aria-rowcount") == str(STUDENTS + 1)
    opened.page.locator("#scroller").evaluate("e => { e.scrollTop = e.scrollHeight; }")
    opened.page.wait_for_selector(f"#rows tr[aria-rowindex='{STUDENTS + 1}']")
    assert opened.page.locator("#rows tr").count() < 60
    assert opened.page.locator("#rows tr[aria-rowindex='2']").count() == 0


def test_a_click_on_a_column_sorts_by_it_and_another_turns_it(opened: Visit) -> None:
    head = opened.page.locator("#map thead th", has_text="Points of")
    head.click()
    expected = sorted((each.score for each in GRADED), reverse=True)
    shown = column(opened, 3)
    assert shown == [str(each) for each in expected[: len(shown)]]
    assert head.get_attribute("aria-sort") == "descending"
    head.click()
    assert column(opened, 3)[: STUDENTS - len(GRADED)] == [""] * (STUDENTS - len(GRADED))
    opened.page.locator("#map thead th").first.click()
    assert head.get_attribute("aria-sort") == "none"


def test_a_task_sorts_untouched_below_no_points(opened: Visit) -> None:
    opened.page.locator("#map thead th", has_text="3.2").click()
    place = 4 + made_class.SYLLABUS.names.index("task_3_2")
    points = {
        each.submission.id: next(v.score for v in each.verdicts if v.task == "task_3_2")
        for each in GRADED
    }
    shown = column(opened, place)
    assert shown == [str(n) for n in sorted(points.values(), reverse=True)[: len(shown)]]


def test_filters_by_section_text_state_and_part(opened: Visit) -> None:
    page = opened.page
    page.select_option("#filter-section", "Monday")
    expected = sum(each.submission.person.section == "Monday" for each in CLASS)
    assert page.locator("#shown").text_content() == f"{expected} of {STUDENTS} students shown."
    page.fill("#filter-text", "s0000")
    ids = [
        each.submission.id
        for each in CLASS
        if each.submission.person.section == "Monday" and "s0000" in each.submission.id
    ]
    shown = page.locator("#rows th").evaluate_all("all => all.map((each) => each.title)")
    assert sorted(shown) == sorted(ids)
    page.click("text=Show all")
    page.wait_for_function(
        f"document.querySelector('#shown').textContent.startsWith('{STUDENTS} ')"
    )
    page.select_option("#filter-state", "not graded")
    assert set(column(opened, 2)) <= {"not graded", "not graded, late"}
    page.select_option("#filter-state", "")
    part = made_class.SYLLABUS.parts[1]
    page.select_option("#filter-part", label=part)
    tasks = [each.number for each in made_class.SYLLABUS.tasks if each.part == part]
    assert page.locator("#map thead th").all_text_contents()[4:] == tasks
    assert page.locator("#map thead th").nth(3).text_content() == f"Points of {10 * len(tasks)}"


def test_a_cell_opens_the_submission_at_its_task_with_the_whole_card(opened: Visit) -> None:
    page = opened.page
    standing, verdict, check = next(
        (standing, verdict, check)
        for standing in GRADED
        for verdict in standing.verdicts
        if not made_class.is_untouched(standing.submission, verdict.task)
        for check in verdict.checks
        if not check.passed
    )
    page.fill("#filter-text", standing.submission.id)
    place = 4 + made_class.SYLLABUS.names.index(verdict.task)
    page.locator(f"#rows [data-column='{place}']").click()
    dialog = page.locator("dialog[open]")
    assert standing.submission.person.name in (dialog.locator("h2").text_content() or "")
    assert f": {standing.score} of {standing.maximum}" in (
        dialog.locator("h2").text_content() or ""
    )
    cards = dialog.locator("details[open] pre").all_text_contents()
    assert sanitize(check.card) in cards
    page.keyboard.press("Escape")
    assert page.locator("dialog[open]").count() == 0


def test_previous_and_next_follow_the_order_of_the_table(opened: Visit) -> None:
    page = opened.page
    names = column(opened, 0)[:2]
    page.locator("#rows th").first.click()
    assert page.locator("dialog button", has_text="Previous").is_disabled()
    page.click("dialog button:has-text('Next')")
    assert names[1] in (page.locator("dialog h2").text_content() or "")


def test_all_of_it_can_be_done_with_keys(opened: Visit) -> None:
    page = opened.page
    page.focus("#filters button")
    page.keyboard.press("Tab")
    assert active(opened) == ("0", "0")
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "ArrowDown", "ArrowLeft"):
        page.keyboard.press(key)
    assert active(opened) == ("2", "1")
    page.keyboard.press("Control+End")
    assert active(opened) == (str(STUDENTS - 1), "23")
    page.keyboard.press("PageUp")
    assert int(active(opened)[0]) < STUDENTS - 5
    page.keyboard.press("Control+Home")
    assert active(opened) == ("0", "0")
    page.keyboard.press("Enter")
    assert page.locator("dialog[open] h2").count() == 1
    page.keyboard.press("Escape")
    assert active(opened) == ("0", "0")
    page.keyboard.press("End")
    page.keyboard.press("ArrowUp")
    assert active(opened) == ("-1", "23")
    page.keyboard.press("Enter")
    assert active(opened) == ("-1", "23")
    sorted_by = page.locator("#map thead th[aria-sort='descending']").text_content()
    assert sorted_by == made_class.SYLLABUS.tasks[-1].number
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('#mistakes') !== null")


def test_groups_of_mistakes_say_how_many_and_who(opened: Visit) -> None:
    page = opened.page
    expected: Counter[tuple[str, str]] = Counter()
    for each in GRADED:
        for verdict in each.verdicts:
            if not made_class.is_untouched(each.submission, verdict.task):
                keys = {key_of(check) for check in verdict.checks if not check.passed}
                expected.update((verdict.task, key) for key in keys)
    (_, most), *_ = expected.most_common(1)
    first = page.locator("#mistakes details").first
    assert (first.locator("summary").text_content() or "").startswith(f"{most} students, ")
    first.locator("summary").click()
    assert first.locator(".students li").count() == min(most, 61)
    # Several may be as frequent.
    cards = {
        sanitize(one.card)
        for each in GRADED
        for verdict in each.verdicts
        for one in verdict.checks
        if not one.passed and expected[verdict.task, key_of(one)] == most
    }
    assert first.locator("pre").text_content() in cards
    first.locator(".students button").first.click()
    assert page.locator("dialog[open] h2").count() == 1
    page.keyboard.press("Escape")
    shown = page.locator("#mistakes details").count()
    page.click("#more-mistakes")
    assert page.locator("#mistakes details").count() > shown


def test_the_checks_and_the_others_are_there(opened: Visit) -> None:
    page = opened.page
    assert page.locator("#checks tbody tr").count() == sum(
        len(verdict.checks) for verdict in GRADED[0].verdicts
    )
    columns = page.locator("#checks thead th").all_text_contents()
    assert columns[-4:] == ["Attempts", "A mistake costs", "Mutants", "Note"]
    rows = page.locator("#checks tbody tr").evaluate_all(
        "all => all.map((row) => [...row.children].map((cell) => cell.textContent))"
    )
    proven = {(row[0], *row[-3:-1]) for row in rows}
    number = made_class.SYLLABUS.entry(made_class.PROVEN_TASK).number
    others = {(each.number, "", "") for each in made_class.SYLLABUS.tasks if each.number != number}
    assert proven == {(number, "2.50", "5 of 11"), *others}
    # Some handed in once, some twice, and of the others nobody knows.
    means = {float(row[-4]) for row in rows}
    assert len(means) > 1 and min(means) >= 1 and max(means) <= 2
    assert page.locator("#checks-note").text_content() == "Those of 3.2 are left out."
    nothing = sum(each.reason == "Nothing was handed in." for each in CLASS)
    texts = page.locator("#others summary").all_text_contents()
    assert f"Nothing was handed in: {nothing} students" in texts


def test_paper_has_every_row(opened: Visit) -> None:
    page = opened.page
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert page.locator("#rows tr").count() == STUDENTS
    assert not page.locator("#filters").is_visible()
    assert page.locator("#scroller").evaluate("e => getComputedStyle(e).overflowY") == "visible"
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.locator("#rows tr").count() < STUDENTS
    assert len(page.pdf()) > 20_000


def test_it_follows_the_readers_scheme(visit: Open, path: Path) -> None:
    seen = {}
    for scheme in ("light", "dark"):
        page = ready(visit(path, color_scheme=scheme)).page
        seen[scheme] = page.evaluate(
            "[getComputedStyle(document.body).backgroundColor, ...['--p0', '--p10'].map((each) => "
            "getComputedStyle(document.documentElement).getPropertyValue(each))]"
        )
    assert seen["light"][0] == "rgb(255, 255, 255)"
    assert all(light != dark for light, dark in zip(seen["light"], seen["dark"], strict=True))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(visit: Open, path: Path, scheme: str) -> None:
    opened = ready(visit(path, color_scheme=scheme, bypass_csp=True))
    page = opened.page
    page.locator("#mistakes summary").first.click()
    page.locator("#others summary").first.click()
    opened.expect_accessible()
    wrong = page.locator("#rows td.p5, #rows td.p6, #rows td.p7, #rows td.p8").first
    wrong.click()
    assert page.locator("dialog details[open] pre").count() >= 1
    opened.expect_accessible()
    page.keyboard.press("Escape")
    page.fill("#filter-text", "nobody is called so")
    opened.expect_accessible()


def test_whatever_students_said_is_text(visit: Open, tmp_path: Path) -> None:
    standings = made_class.hostile(TEXTS)
    opened = ready(visit(made_class.write(tmp_path / "hostile.html", standings)))
    page = opened.page
    for standing in standings:
        row = page.locator(f"#rows tr:has(th[title='{standing.submission.id}'])")
        assert row.locator("th").text_content() == sanitize(standing.submission.person.name)
        row.locator("td.cell").last.click()
        card = page.locator("dialog pre").first.text_content()
        assert card == sanitize(standing.verdicts[0].checks[0].card)
        page.keyboard.press("Escape")
    for summary in page.locator("#mistakes summary").all():
        summary.click()
    assert page.title() == made_class.SYLLABUS.title
    forged: Any = page.evaluate("[window.forged, document.querySelectorAll('img, iframe').length]")
    assert forged == [None, 0]
    opened.expect_quiet()
