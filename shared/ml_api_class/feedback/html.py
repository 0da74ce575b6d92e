"""Feedback as one HTML file that needs nothing else and runs nothing."""

from __future__ import annotations

from html import escape

from ml_api_class.feedback.student import Feedback, TaskFeedback

ENDING = ".html"

_STYLE = """
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 52rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; }
td, th { border-bottom: 1px solid #8885; padding: .25rem .75rem; text-align: left; }
td:last-child, th:last-child { text-align: right; white-space: nowrap; }
pre { overflow-x: auto; background: #8881; padding: .75rem; }
summary { cursor: pointer; padding: .25rem 0; }
"""


def render(feedback: Feedback) -> str:
    """Return the page of one student."""
    title = escape(f"{feedback.course}: {feedback.heading}")
    if feedback.problem:
        body = [f"<p>Not graded: {escape(feedback.problem)}</p>"]
    else:
        late = " Handed in late." if feedback.is_late else ""
        body = [f"<p><strong>{feedback.score} of {feedback.maximum} points.</strong>{late}</p>"]
        body += ["<table>", "<tr><th scope=col>Task</th><th scope=col>Points</th></tr>"]
        body += [_row(task) for task in feedback.tasks]
        body.append("</table>")
        for task in feedback.tasks:
            if task.losses:
                body += _task(task)
        if feedback.notes:
            body += ["<h2>Left out of what you handed in</h2>", "<ul>"]
            body += [f"<li>{escape(note)}</li>" for note in feedback.notes]
            body.append("</ul>")
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width">',
            '<meta http-equiv="Content-Security-Policy" '
            "content=\"default-src 'none'; style-src 'unsafe-inline'\">",
            f"<title>{title}</title>",
            f"<style>{_STYLE}</style>",
            "</head>",
            "<body>",
            f"<h1>{title}</h1>",
            *body,
            "</body>",
            "</html>",
            "",
        ]
    )


def _row(task: TaskFeedback) -> str:
    mark = " (not started)" if task.is_untouched else ""
    name = escape(f"{task.number} {task.title}{mark}")
    return f"<tr><td>{name}</td><td>{task.score} of {task.maximum}</td></tr>"


def _task(task: TaskFeedback) -> list[str]:
    rows = [f"<h2>{escape(f'{task.number} {task.title}')}: {task.score} of {task.maximum}</h2>"]
    for loss in task.losses:
        first, *others = loss.checks
        title = f"{escape(first.title)} ({first.points} of {first.maximum})"
        rows += [f"<details open><summary>{title}</summary>", f"<pre>{escape(loss.card)}</pre>"]
        if others:
            rows += ["<p>Also lost for this reason:</p>", "<ul>"]
            rows += [f"<li>{escape(each.title)} (0 of {each.maximum})</li>" for each in others]
            rows.append("</ul>")
        rows.append("</details>")
    return rows
