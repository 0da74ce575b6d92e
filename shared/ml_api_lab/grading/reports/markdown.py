"""`markdown`: a summary for a CI job's page, a table for each part and the cards folded under it.

GitHub takes a summary of at most 1 MiB from a step ("$GITHUB_STEP_SUMMARY upload aborted, supports
content up to a size of 1024k") and renders it as GitHub's Markdown. All that a submission has said
stands escaped in `<pre>`: there Markdown has no meaning, no name is a mention, and nothing but
`</pre>` ends it (CommonMark, "HTML blocks", start condition 1).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape

from ml_api_lab.grading.grade import (
    DESELECTED,
    FAILED,
    NOT_RUN,
    PASSED,
    Grade,
    Result,
    maximum,
    score,
)
from ml_api_lab.grading.reports.truncation import fit
from ml_api_lab.sanitize import sanitize

LIMIT_BYTES = 1024 * 1024 - 1024

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|~@$-])")


def render(grade: Grade) -> str:
    """Return the grade as GitHub's Markdown."""
    return fit(lambda short: _render(grade, short), LIMIT_BYTES)


def _render(grade: Grade, short: Callable[[str], str]) -> str:
    title = f"{_inline(grade.syllabus.title)}: {grade.score} of {grade.maximum} points"
    blocks = [f"# {title}", *(_inline(note) for note in grade.notes)]
    for part in grade.syllabus.parts:
        entries = [e for e in grade.syllabus.tasks if e.part == part and e.name in grade.tasks]
        if not entries:
            continue
        results = [result for entry in entries for result in grade.of(entry.name)]
        blocks.append(f"## {_inline(part)}: {score(results)} of {maximum(results)}")
        rows = ["| Task | Points | Checks |", "|---|---:|---|"]
        for entry in entries:
            own = grade.of(entry.name)
            name = _inline(f"{entry.number} {entry.title}")
            rows.append(f"| {name} | {score(own)} of {maximum(own)} | {_counts(own)} |")
        blocks.append("\n".join(rows))
        failed = [each for each in results if each.outcome == FAILED]
        blocks.extend(_folded_card(result, short) for result in failed if not result.absent)
        absent = dict.fromkeys(each.message for each in failed if each.absent)
        blocks.append("\n".join(f"- {_inline(message)}" for message in absent))
        blocks.extend(_list(results, outcome) for outcome in (NOT_RUN, DESELECTED))
    tree = f"<code>{escape(sanitize(grade.tree))}</code>"
    blocks.append(f"Tree {tree}, clock {grade.clock}, seed {grade.seed}.")
    return "\n\n".join(block for block in blocks if block) + "\n"


def _counts(results: list[Result]) -> str:
    """Say how many checks passed, failed and so on."""
    words = {PASSED: "passed", FAILED: "failed", NOT_RUN: "not run", DESELECTED: "not selected"}
    counted = {each: sum(result.outcome == each for result in results) for each in words}
    return ", ".join(f"{number} {words[each]}" for each, number in counted.items() if number)


def _folded_card(result: Result, short: Callable[[str], str]) -> str:
    check = result.check
    title = escape(sanitize(f"{check.task}: {check.title} (0 of {check.points})"))
    card = escape(short(result.card))
    summary = f"<details><summary>{title}</summary>"
    return f"{summary}\n\n<pre>\n{card}\n</pre>\n\n</details>"


def _list(results: list[Result], outcome: str) -> str:
    found = [result.check for result in results if result.outcome == outcome]
    if not found:
        return ""
    lead = "Not run:" if outcome == NOT_RUN else "Not selected:"
    rows = [f"- {_inline(f'{each.task}: {each.title}')} (of {each.points})" for each in found]
    return "\n".join([lead, "", *rows])


def _inline(text: str) -> str:
    """Return the text so that it stands on its line as it is."""
    return _SPECIAL.sub(r"\\\1", escape(sanitize(" ".join(text.split())), quote=False))
