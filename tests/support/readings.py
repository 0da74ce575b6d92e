"""Reading reports back as their readers do: valid or not, and what score and maximum they show."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

from jsonschema import Draft202012Validator

from tests.support import html_pages

ROOT = Path(__file__).resolve().parents[2]
SCHEMAS = {
    "json": ROOT / "shared/ml_api_lab/grading/reports/grade.schema.json",
    "gradescope": ROOT / "tests" / "schemas" / "gradescope.json",
    "classroom50": ROOT / "tests" / "schemas" / "classroom50.json",
    "prairielearn": ROOT / "tests" / "schemas" / "prairielearn.json",
}
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_FOLD = re.compile(r"<details><summary>([^<\n]*)</summary>\n\n<pre>\n([^<]*)\n</pre>\n\n</details>")


@dataclass(frozen=True)
class Reading:
    """What a report says.

    Attributes:
        outcomes: how many checks it shows with each outcome, where the format tells them apart.
    """

    score: int
    maximum: int
    outcomes: dict[str, int]


def read(name: str, text: str) -> Reading:
    """Return what a report of that format says; it is valid, or this raises AssertionError."""
    text.encode()
    if name in SCHEMAS:
        content = json.loads(text)
        errors = [error.message for error in validator(name).iter_errors(content)]
        assert errors == []
        return {
            "json": _json,
            "gradescope": _gradescope,
            "classroom50": _classroom50,
            "prairielearn": _prairielearn,
        }[name](content)
    return {"junit": _junit, "markdown": _markdown, "html": _html}[name](text)


@cache
def validator(name: str) -> Draft202012Validator:
    schema = json.loads(SCHEMAS[name].read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def _json(content: Any) -> Reading:
    tasks = content["tasks"]
    checks = [check for task in tasks for check in task["checks"]]
    assert content["score"] == sum(task["score"] for task in tasks)
    assert content["maximum"] == sum(task["maximum"] for task in tasks)
    for task in tasks:
        assert task["score"] == sum(check["points"] for check in task["checks"])
        assert task["maximum"] == sum(check["maximum"] for check in task["checks"])
    assert content["complete"] == (content["ended"] == "")
    return Reading(content["score"], content["maximum"], _counted(c["outcome"] for c in checks))


def _gradescope(content: Any) -> Reading:
    tests = content["tests"]
    assert content["score"] == sum(test["score"] for test in tests)
    maximum = sum(test["max_score"] for test in tests)
    assert content["extra_data"]["maximum"] == maximum
    told = _counted(test["extra_data"]["outcome"] for test in tests)
    assert sum(test.get("status") == "passed" for test in tests) == told.get("passed", 0)
    assert sum("status" not in test for test in tests) == told.get("deselected", 0)
    return Reading(content["score"], maximum, told)


def _classroom50(content: Any) -> Reading:
    tests = content["tests"]
    assert content["score"] == sum(test["score"] for test in tests) <= content["max-score"]
    assert content["max-score"] == sum(test["max-score"] for test in tests)
    assert all(test["score"] <= test["max-score"] for test in tests)
    told = _counted(test["outcome"] for test in tests)
    assert sum(test["passed"] for test in tests) == told.get("passed", 0)
    return Reading(content["score"], content["max-score"], told)


def _prairielearn(content: Any) -> Reading:
    tests = content["tests"]
    score, maximum = (sum(test[key] for test in tests) for key in ("points", "max_points"))
    assert content["score"] == (score / maximum if maximum else 0)
    assert len(json.dumps(content).encode()) <= 1_000_000
    return Reading(
        score, maximum, _counted(test["description"].rpartition(": ")[2] for test in tests)
    )


def _junit(text: str) -> Reading:
    assert _ILLEGAL.search(text) is None
    root = Xml.fromstring(text)
    (suite,) = root
    cases = suite.findall("testcase")
    whole = _values(suite)
    told: list[str] = []
    score = maximum = 0
    for case in cases:
        values = _values(case)
        score += int(values["score"])
        maximum += int(values["maximum"])
        told.append(values["outcome"])
        expected = {"failed": "failure", "not run": "error", "deselected": "skipped"}
        assert [each.tag for each in case if each.tag != "properties"] == [
            tag for outcome, tag in expected.items() if outcome == values["outcome"]
        ]
    outcomes = _counted(told)
    assert int(suite.get("tests", "")) == len(cases)
    for attribute, outcome in [
        ("failures", "failed"),
        ("errors", "not run"),
        ("skipped", "deselected"),
    ]:
        assert int(suite.get(attribute, "")) == outcomes.get(outcome, 0)
    assert (whole["score"], whole["maximum"]) == (str(score), str(maximum))
    return Reading(score, maximum, outcomes)


def _values(element: Xml.Element) -> dict[str, str]:
    found = element.findall("properties/property")
    return {each.get("name", ""): each.get("value", "") for each in found}


def _markdown(text: str) -> Reading:
    assert len(text.encode()) <= 1024 * 1024
    # What is left without the folds: nothing of it was said by a submission.
    rest = _FOLD.sub("", text)
    assert "<pre>" not in rest and "<details>" not in rest
    headline = re.match(r"# .*: (\d+) of (\d+) points\n", rest)
    assert headline is not None
    score, maximum = map(int, headline.groups())
    parts = re.findall(r"^## .*: (\d+) of (\d+)$", rest, re.MULTILINE)
    rows = re.findall(r"^\| .* \| (\d+) of (\d+) \| (.*) \|$", rest, re.MULTILINE)
    for shown in (parts, rows):
        assert sum(int(row[0]) for row in shown) == score
        assert sum(int(row[1]) for row in shown) == maximum
    counted: dict[str, int] = {}
    for row in rows:
        for number, outcome in re.findall(r"(\d+) (passed|failed|not run|not selected)", row[2]):
            outcome = outcome.replace("not selected", "deselected")
            counted[outcome] = counted.get(outcome, 0) + int(number)
    assert len(_FOLD.findall(text)) == counted.get("failed", 0)
    return Reading(score, maximum, counted)


def _html(text: str) -> Reading:
    page = html_pages.parse(text)
    (headline,) = page.all("h1")
    score, maximum = _of(headline.text)
    told: list[str] = []
    for css_class in ("part", "task", "check"):
        shown = [_of(row.all("td", "number")[-1].text) for row in page.all("tr", css_class)]
        assert sum(each[0] for each in shown) == score
        assert sum(each[1] for each in shown) == maximum
    for row in page.all("tr", "check"):
        told.append(row.all("td")[0].text.replace("not selected", "deselected"))
    assert len(page.all("details", "card")) == told.count("failed")
    return Reading(score, maximum, _counted(told))


def _of(text: str) -> tuple[int, int]:
    """Return the last two numbers of a text like `3 of 10 points`."""
    found = re.search(r"(\d+) of (\d+)(?: points)?$", text)
    assert found is not None
    return int(found[1]), int(found[2])


def _counted(outcomes: Any) -> dict[str, int]:
    counted: dict[str, int] = {}
    for outcome in outcomes:
        counted[outcome] = counted.get(outcome, 0) + 1
    return counted
