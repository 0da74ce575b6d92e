"""The JSON lines that an application prints, one for each request."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from checks.support.hints import hinted
from checks.support.http import is_close, request_line
from checks.support.json_lines import object_in
from checks.support.tracing import parse_seconds
from checks.support.wording import joined
from ml_api_lab.check import Hinted, Span, milliseconds, seconds, took

if TYPE_CHECKING:
    import httpx

    from ml_api_lab.check import Clock, Task

_HINTS = {
    "method": "From where does your line take the method?",
    "path": "Which parts has the address of a request, and which of them is the path?",
    "status": "From where does your line take the status, and what is it until there is an answer?",
}
KEYS = ("id", "method", "path", "status", "duration")
_WAIT_LIMIT = seconds(7)
_POLL_INTERVAL = milliseconds(500)


async def wait_for_line(
    task: Task,
    clock: Clock,
    request_id: str,
    *,
    answer: httpx.Response | None = None,
    exact: bool = False,
) -> dict[str, Any]:
    """Return the line of the request with that id, waiting for it; assert that it is there.

    Args:
        answer: that request's, for the sentence.
        exact: whether it has to be JSON from end to end, the only one, and with its id under `id`.
            One check asks for that; the others read what they can (see `_content`).
    """
    found = await _wait_for_lines(task, clock, "id", request_id, 1, exact=exact)
    if not found:
        expect_output(task)
        request = f" of {_with_status(answer)}" if answer else ""
        raise AssertionError(
            f"No JSON line of the output has the id {request_id}{request}: "
            f"{_nearest_output(task, request_id)}; "
            "right is one line for each request, with the id of its answer."
        )
    # The line of a request has its status; others with its id are nobody's business.
    found = [each for each in found if "status" in each] or found
    if len(found) > 1 and exact:
        raise Hinted(
            f"{len(found)} JSON lines of the output have the id {request_id}; "
            "right is one line for each request.",
            "Who writes the lines of a request: is there a second call, or does a second handler "
            "print what the first has printed?",
        )
    return found[0]


def expect_output(task: Task) -> None:
    """Assert that anything was printed."""
    if not task.transcript.lines:
        raise Hinted(
            "It printed nothing at all; right is one JSON line for each request.",
            "To which logger do you give the line: to the one that has your handler and a level "
            "that lets info pass? The root logger, and loggers of other names, are others.",
        )


def expect_lines_of_all(task: Task, answers: Mapping[str, httpx.Response]) -> None:
    """Assert that no request is without a line where others have one, JSON or not.

    Args:
        answers: all of them, by the id under which each has its line.
    """
    missing = [
        _with_status(answer)
        for request_id, answer in answers.items()
        if not _lines_with(task, "id", request_id)
        and not any(request_id in line.text for line in task.transcript.lines)
    ]
    if 0 < len(missing) < len(answers):
        raise Hinted(
            f"No JSON line of the output has the id of {joined(missing)}. All others of the "
            f"{len(answers)} requests have left a line; right is one line for each.",
            "Under which condition does your code leave out a line? What do the requests without "
            "one have in common?",
        )


def _with_status(answer: httpx.Response) -> str:
    return f"{request_line(answer)} (answered {answer.status_code})"


async def wait_for_lines_with_status(
    task: Task, clock: Clock, status: int, count: int
) -> list[dict[str, Any]]:
    """Return the JSON lines with that status, waiting for that many."""
    return await _wait_for_lines(task, clock, "status", str(status), count)


def expect_line_matches(
    line: dict[str, Any],
    response: httpx.Response,
    path: str,
    judged: Collection[str] = KEYS,
    *,
    by_key: bool = True,
) -> None:
    """Assert that the line tells of that request and its answer.

    Args:
        judged: the keys to look at.
        by_key: whether the hint is that of the key which is wrong; it is the check's otherwise.
    """
    shown = json.dumps(line)
    for key in judged:
        if key not in line:
            raise Hinted(
                f"The line {shown} lacks {key!r}; right are {', '.join(KEYS)}.",
                "Compare the keys of your line with those of the task, letter by letter.",
            )
    for key, value in _right_values(response, path).items():
        with hinted(_HINTS[key]) if by_key else contextlib.nullcontext():
            assert key not in judged or str(line[key]) == value, (
                f"The line {shown} has the {key} {line[key]!r}; "
                f"right for {request_line(response)} is {value}."
            )


def right_keys(line: dict[str, Any], response: httpx.Response, path: str) -> set[str]:
    """Return the keys under which the line tells what is right of that request."""
    right = _right_values(response, path)
    keys = {key for key, value in right.items() if str(line.get(key)) == value}
    keys |= {"id"} & line.keys()
    try:
        if is_close(took(response), line_duration(line)):
            keys.add("duration")
    except (AssertionError, KeyError):
        pass  # it is no number, or not there
    return keys


def _right_values(response: httpx.Response, path: str) -> dict[str, str]:
    return {
        "method": response.request.method,
        "path": path,
        "status": str(response.status_code),
    }


def line_duration(line: dict[str, Any]) -> Span:
    """Return the duration in a line; assert that it is a number."""
    return parse_seconds(str(line["duration"]), f"The line {json.dumps(line)} has the duration")


async def _wait_for_lines(
    task: Task, clock: Clock, key: str, value: str, count: int, *, exact: bool = False
) -> list[dict[str, Any]]:
    began = clock.now
    while clock.now - began < _WAIT_LIMIT:
        found = _lines_with(task, key, value, exact=exact)
        if sum("status" in each for each in found) >= count:
            break
        await asyncio.sleep(_POLL_INTERVAL / seconds(1))
    return found


def _lines_with(task: Task, key: str, value: str, *, exact: bool = False) -> list[dict[str, Any]]:
    """Return the lines of the output that have that value.

    Args:
        exact: whether only JSON counts, and only that key.
    """
    found = []
    for line in task.transcript.lines:
        content = _content(line.text, exact=exact)
        values = [content.get(key)] if exact or key in content else list(content.values())
        if value in map(str, values):
            found.append(content)
    return found


def _content(text: str, *, exact: bool) -> dict[str, Any]:
    """Return the object that a line of the output is, {} if it is none.

    Args:
        exact: whether it has to be JSON from end to end. Otherwise a prefix may come before it,
            and a dictionary may be printed as Python shows it.
    """
    if not exact:
        return object_in(text)
    with contextlib.suppress(ValueError, RecursionError):
        content = json.loads(text)
        if isinstance(content, dict):
            return content
    return {}


def _nearest_output(task: Task, request_id: str) -> str:
    """Return what there is in place of a line with that id, for a sentence."""
    lines = [line.text for line in task.transcript.lines if request_id in line.text]
    if lines:
        return f"the line {lines[0]!r} has it, but {_line_fault(lines[0])}"
    return f"the last line that it printed is {task.transcript.lines[-1].text!r}"


def _line_fault(line: str) -> str:
    try:
        content = json.loads(line)
    except (ValueError, RecursionError):
        prefix = line[: line.find("{")]
        if prefix and object_in(line):
            return f"{prefix!r} stands before the JSON"
        return "is not JSON from end to end"
    return "not under the key 'id'" if isinstance(content, dict) else "is no JSON object"
