"""`markdown`: a summary for a CI job's page, a table for each part and the cards folded under it.

GitHub takes a summary of at most 1 MiB from a step ("$GITHUB_STEP_SUMMARY upload aborted, supports
content up to a size of 1024k") and renders it as GitHub's Markdown. All that a submission has said
stands escaped in `<pre>`: there Markdown has no meaning, no name is a mention, and nothing but
`</pre>` ends it (CommonMark, "HTML blocks", start condition 1).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html import escape

from ml_api_lab.course.syllabus import Entry
from ml_api_lab.grading.grade import Grade, Outcome, Result, maximum, score
from ml_api_lab.grading.reports.truncation import fit
from ml_api_lab.sanitize import sanitize
from ml_api_lab.version import VERSION

LIMIT_BYTES = 1024 * 1024 - 1024

_WORDS = {each: str(each) for each in Outcome} | {Outcome.DESELECTED: "not selected"}
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|~@$-])")


def render(grade: Grade) -> str:
    """Return the grade as GitHub's Markdown."""
    return fit(lambda short: _render(grade, short), LIMIT_BYTES)


def _render(grade: Grade, short: Callable[[str], str]) -> str:
    title = f"{_inline(grade.syllabus.title)}: {grade.score} of {grade.maximum} points"
    blocks = [f"# {title}", *(_inline(note) for note in grade.notes)]
    for part in grade.syllabus.parts:
        entries = [e for e in grade.syllabus.tasks if e.part == part and e.name in grade.tasks]
        if entries:
            blocks += _part(grade, part, entries, short)
    tree = f"<code>{escape(sanitize(grade.tree))}</code>"
    run = f"clock {grade.clock}, seed {grade.seed}, isolation {grade.isolation}, lab {VERSION}"
    blocks.append(f"Tree {tree}, {run}.")
    return "\n\n".join(block for block in blocks if block) + "\n"


def _part(
    grade: Grade, part: str, entries: list[Entry], short: Callable[[str], str]
) -> Iterator[str]:
    """Yield the heading of a part, its table, its cards, and what did not run."""
    results = [result for entry in entries for result in grade.results_of(entry.name)]
    yield f"## {_inline(part)}: {score(results)} of {maximum(results)}"
    rows = ["| Task | Points | Checks |", "|---|---:|---|"]
    for entry in entries:
        own = grade.results_of(entry.name)
        name = _inline(f"{entry.number} {entry.title}")
        rows.append(f"| {name} | {score(own)} of {maximum(own)} | {_counts(own)} |")
    yield "\n".join(rows)
    failed = [each for each in results if each.outcome == Outcome.FAILED]
    yield from (_folded_card(result, short) for result in failed if not result.absent)
    absent = dict.fromkeys(each.message for each in failed if each.absent)
    yield "\n".join(f"- {_inline(message)}" for message in absent)
    yield _list(results, Outcome.NOT_RUN)
    yield _list(results, Outcome.DESELECTED)


def _counts(results: list[Result]) -> str:
    """Say how many checks passed, failed and so on."""
    counted = {each: sum(result.outcome == each for result in results) for each in Outcome}
    return ", ".join(f"{number} {_WORDS[each]}" for each, number in counted.items() if number)


def _folded_card(result: Result, short: Callable[[str], str]) -> str:
    check = result.check
    title = escape(sanitize(f"{check.task}: {check.title} (0 of {check.points})"))
    card = escape(short(result.card))
    summary = f"<details><summary>{title}</summary>"
    return f"{summary}\n\n<pre>\n{card}\n</pre>\n\n</details>"


def _list(results: list[Result], outcome: Outcome) -> str:
    found = [result.check for result in results if result.outcome == outcome]
    if not found:
        return ""
    lead = "Not run:" if outcome == Outcome.NOT_RUN else "Not selected:"
    rows = [f"- {_inline(f'{each.task}: {each.title}')} (of {each.points})" for each in found]
    return "\n".join([lead, "", *rows])


def _inline(text: str) -> str:
    """Return the text so that it stands on its line as it is."""
    return _SPECIAL.sub(r"\\\1", escape(sanitize(" ".join(text.split())), quote=False))
