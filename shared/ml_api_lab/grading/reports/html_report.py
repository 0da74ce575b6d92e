"""`html`: one page for one tree, with every card and a time line of what happened in each check.

The page is one file that opens from disk. It holds no script and asks for nothing, and its policy
(Content-Security-Policy) lets a browser run and fetch nothing either: what a submission has said is
escaped text, and would stay text if it were not.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from html import escape
from pathlib import Path

from ml_api_lab.course.syllabus import Entry
from ml_api_lab.grading import timeline
from ml_api_lab.grading.grade import Grade, Outcome, Result, how_graded, maximum, score
from ml_api_lab.sanitize import sanitize

# Read when the lab is loaded, which is before any code of a submission runs.
_STYLE = (
    Path(__file__).with_name("html_report.css").read_text(encoding="utf-8") + timeline.STYLE + "\n"
)
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

_WORDS = {each: str(each) for each in Outcome} | {Outcome.DESELECTED: "not selected"}


def render(grade: Grade) -> str:
    """Return the grade as a page."""
    return "\n".join(_page(grade)) + "\n"


def _page(grade: Grade) -> Iterator[str]:
    title = f"{_text(grade.syllabus.title)}: {grade.score} of {grade.maximum} points"
    yield "<!doctype html>"
    yield '<html lang="en">'
    yield "<head>"
    yield '<meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    policy = f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'"
    yield f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    yield f"<title>{title}</title>"
    yield f"<style>{_STYLE}</style>"
    yield "</head>"
    yield "<body>"
    yield "<header>"
    yield f"<h1>{title}</h1>"
    yield from (f"<p>{_text(note)}</p>" for note in (*grade.absent, *grade.notes))
    yield f'<p class="run">Tree <bdi>{_text(grade.tree)}</bdi>. {_text(how_graded(grade))}</p>'
    yield "</header>"
    yield "<main>"
    yield from _overview(grade)
    for number, name in enumerate(grade.tasks):
        yield from _task(grade, grade.syllabus.entry(name), f"c{number}-")
    yield "</main>"
    yield "</body>"
    yield "</html>"


def _overview(grade: Grade) -> Iterator[str]:
    """Yield the table of all tasks, by part."""
    yield '<table id="tasks">'
    yield "<caption>Points of each part and task</caption>"
    yield '<thead><tr><th scope="col">Task</th><th scope="col" class="number">Checks passed</th>'
    yield '<th scope="col" class="number">Points</th></tr></thead>'
    for part in grade.syllabus.parts:
        entries = [e for e in grade.syllabus.tasks if e.part == part and e.name in grade.tasks]
        if not entries:
            continue
        results = [result for entry in entries for result in grade.results_of(entry.name)]
        yield "<tbody>"
        yield f'<tr class="part"><th scope="rowgroup">{_text(part)}</th>{_numbers(results)}</tr>'
        for entry in entries:
            link = f'<a href="#{_text(entry.name)}">{_text(f"{entry.number} {entry.title}")}</a>'
            own = grade.results_of(entry.name)
            yield f'<tr class="task"><th scope="row">{link}</th>{_numbers(own)}</tr>'
        yield "</tbody>"
    yield "</table>"


def _numbers(results: list[Result]) -> str:
    passed = sum(result.outcome == Outcome.PASSED for result in results)
    return (
        f'<td class="number">{passed} of {len(results)}</td>'
        f'<td class="number">{score(results)} of {maximum(results)}</td>'
    )


def _task(grade: Grade, entry: Entry, prefix: str) -> Iterator[str]:
    """Yield the section of a task: its checks, and a card for each that failed.

    Args:
        prefix: what the ids of its pictures begin with.
    """
    results = grade.results_of(entry.name)
    points = f"{score(results)} of {maximum(results)}"
    yield f'<section id="{_text(entry.name)}">'
    yield f"<h2>{_text(f'{entry.number} {entry.title}')}: {points}</h2>"
    yield '<table class="checks">'
    yield '<thead><tr><th scope="col">Check</th><th scope="col">Result</th>'
    yield '<th scope="col" class="number">Points</th></tr></thead>'
    yield "<tbody>"
    for result in results:
        outcome = f'<td class="{result.outcome.replace(" ", "-")}">{_WORDS[result.outcome]}</td>'
        title = f'<th scope="row">{_text(result.check.title)}</th>'
        earned = f'<td class="number">{result.points} of {result.check.points}</td>'
        yield f'<tr class="check">{title}{outcome}{earned}</tr>'
    yield "</tbody>"
    yield "</table>"
    failed = [each for each in results if each.outcome == Outcome.FAILED and not each.absent]
    for number, result in enumerate(failed):
        # Of a task without a point the first card says most; the others are one key away.
        is_open = number == 0 or score(results) > 0
        yield from _card(result, is_open, f"{prefix}{number}-")
    yield '<p class="back"><a href="#tasks">Back to the table of tasks</a></p>'
    yield "</section>"


def _card(result: Result, is_open: bool, prefix: str) -> Iterator[str]:
    check = result.check
    yield f'<details class="card"{" open" if is_open else ""}>'
    yield f"<summary><h3>{_text(check.title)} (0 of {check.points})</h3></summary>"
    # The line feed after <pre> is no part of its text.
    yield f"<pre>\n{_text(result.card)}</pre>"
    if result.timeline is not None:
        yield timeline.svg(result.timeline, prefix=prefix).rstrip("\n")
    yield "</details>"


def _text(text: str) -> str:
    """Return a text that is text wherever it stands."""
    return escape(sanitize(text))
