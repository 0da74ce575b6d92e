"""The page is one file that asks for nothing, and holds what students said as data alone."""

from __future__ import annotations

import base64
import hashlib
import re
import zlib
from pathlib import Path

import pytest

from ml_api_class.journal.journal import Journal
from ml_api_class.journal.records import Person
from ml_api_class.page import assembly
from ml_api_class.page.assembly import SCRIPTS, assemble
from ml_api_lab.course.place import find
from tests.ml_api_class.page.class_of_two import unpack
from tests.ml_api_class.toy_class import put
from tests.support.grades import HOSTILE
from tests.support.html_pages import Element, parse
from tests.support.toy import Course

FOLDER = Path(assembly.__file__).parent


def page_of(contents: str) -> Element:
    return parse(assemble("A course", "Seed 1.", contents))


def scripts_of(page: Element) -> tuple[Element, Element]:
    data, script = page.all("script")
    return data, script


@pytest.mark.parametrize("said", ["</script><script>forged()</script>", HOSTILE, "x" * 1_000_000])
def test_whatever_is_in_it_is_data(said: str) -> None:
    contents = said.encode("utf-8", "replace").decode()
    page = page_of(contents)
    assert page.shape == page_of("{}\n{}").shape
    data, _ = scripts_of(page)
    assert data.attributes == {"type": "text/plain", "id": "data"}
    assert zlib.decompress(base64.b64decode(data.text)).decode() == contents


def test_its_policy_allows_its_own_style_and_script_and_no_request() -> None:
    page = page_of("{}\n{}")
    (policy,) = [e.attributes["content"] for e in page.all("meta") if "http-equiv" in e.attributes]
    _, script = scripts_of(page)
    (style,) = page.all("style")
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'"
    for name, element in (("script-src", script), ("style-src", style)):
        digest = base64.b64encode(hashlib.sha256(element.text.encode()).digest()).decode()
        assert rules[name] == f"'sha256-{digest}'"
    assert rules["require-trusted-types-for"] == "'script'"
    assert {"src", "href"} & {name for each in _all(page) for name in each.attributes} == set()


def _all(element: Element) -> list[Element]:
    return [element, *(each for child in element.children for each in _all(child))]


def test_every_part_is_in_the_page_and_makes_no_markup_of_a_text() -> None:
    assert sorted(path.name for path in FOLDER.glob("*.js")) == sorted(SCRIPTS)
    for name in SCRIPTS:
        text = (FOLDER / name).read_text(encoding="utf-8")
        wrong = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|Function\("
        assert re.search(wrong, text) is None, name
        assert "fetch(" not in text and "XMLHttpRequest" not in text and "import(" not in text
        assert "</script" not in text


def test_a_title_is_text() -> None:
    page = parse(assemble("</title><script>1</script>", "<b>$data", "{}\n{}"))
    assert [each.text for each in page.all("h1")] == ["</title><script>1</script>"]
    assert page.all("header")[0].all("p")[0].text == "<b>$data"


def test_a_run_is_written_whole(course: Course, tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    with Journal(run, can_create=True) as journal:
        put(journal, "ada", {"task_0_1": "print('hello')"})
        path = assembly.write(journal, find(course.root), run / "deep" / "page.html")
    assert [each.name for each in path.parent.iterdir()] == ["page.html"]
    data, _ = scripts_of(parse(path.read_text(encoding="utf-8")))
    assert '"id":["ada"]' in zlib.decompress(base64.b64decode(data.text)).decode()


def test_attempts_are_told_by_the_platform_alone(course: Course, tmp_path: Path) -> None:
    with Journal(tmp_path, can_create=True) as journal:
        put(journal, "ada", {"task_0_1": "x"}, Person("Ada", attempts=4))
        put(journal, "bob", {"task_0_1": "x"})
        for id_ in ("ada", "bob", "bob"):
            journal.end_attempt(journal.begin_attempt(id_, ["task_0_1"]), "graded")
        path = assembly.write(journal, find(course.root), tmp_path / "page.html")
    data, _ = scripts_of(parse(path.read_text(encoding="utf-8")))
    table, _ = unpack(zlib.decompress(base64.b64decode(data.text)).decode())
    students = table["students"]
    told = dict(zip(students["id"], students["attempts"], strict=True))
    assert told == {"ada": 4, "bob": 0}
