"""Feedback as Markdown."""

from __future__ import annotations

import re

from ml_api_class.feedback.student import Feedback, TaskFeedback

ENDING = ".md"
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|])")


def render(feedback: Feedback) -> str:
    """Return the page of one student."""
    rows = [f"# {_plain(feedback.course)}: {_plain(feedback.heading)}", ""]
    if feedback.problem:
        rows.append(f"Not graded: {_plain(feedback.problem)}")
        return "\n".join(rows) + "\n"
    late = " Handed in late." if feedback.is_late else ""
    rows += [f"**{feedback.score} of {feedback.maximum} points.**{late}", ""]
    rows += ["| task | points |", "|---|---|"]
    for task in feedback.tasks:
        mark = " (not started)" if task.is_untouched else ""
        rows.append(
            f"| {task.number} {_plain(task.title)}{mark} | {task.score} of {task.maximum} |"
        )
    for task in feedback.tasks:
        if task.losses:
            rows += _task(task)
    if feedback.notes:
        rows += ["", "## Left out of what you handed in", ""]
        rows += [f"- {_plain(note)}" for note in feedback.notes]
    return "\n".join(rows) + "\n"


def _task(task: TaskFeedback) -> list[str]:
    rows = ["", f"## {task.number} {_plain(task.title)}: {task.score} of {task.maximum}"]
    for loss in task.losses:
        first, *others = loss.checks
        rows += ["", f"### {_plain(first.title)} ({first.points} of {first.maximum})", ""]
        fence = _fence(loss.card)
        rows += [f"{fence}text", loss.card, fence]
        if others:
            rows += ["", "Also lost for this reason:"]
            rows += [f"- {_plain(each.title)} (0 of {each.maximum})" for each in others]
    return rows


def _plain(text: str) -> str:
    """Return a text that Markdown shows as it is, on one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def _fence(text: str) -> str:
    """Return a fence that no run of backticks in the text closes."""
    longest = max((len(each) for each in re.findall(r"`+", text)), default=0)
    return "`" * max(3, longest + 1)
