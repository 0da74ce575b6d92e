"""The JSON lines that an application prints, one for each request."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from checks.support.http import request_line
from checks.support.tracing import parse_seconds
from ml_api_lab.check import Span, milliseconds, seconds

if TYPE_CHECKING:
    import httpx

    from ml_api_lab.check import Clock, Task

KEYS = ("id", "method", "path", "status", "duration")
_WAIT_LIMIT = seconds(7)
_POLL_INTERVAL = milliseconds(500)


async def wait_for_line(task: Task, clock: Clock, request_id: str) -> dict[str, Any]:
    """Return the JSON line with that id, waiting for it; assert that there is just one."""
    found = await _wait_for_lines(task, clock, "id", request_id, 1)
    if not found:
        raise AssertionError(
            f"No JSON line of the output has the id {request_id} "
            f"({_nearest_output(task, request_id)}); "
            "right is one line for each request, with the id of its answer."
        )
    assert len(found) == 1, (
        f"{len(found)} JSON lines of the output have the id {request_id}; "
        "right is one line for each request."
    )
    return found[0]


async def wait_for_lines_with_status(
    task: Task, clock: Clock, status: int, count: int
) -> list[dict[str, Any]]:
    """Return the JSON lines with that status, waiting for that many."""
    return await _wait_for_lines(task, clock, "status", str(status), count)


def expect_line_matches(line: dict[str, Any], response: httpx.Response, path: str) -> None:
    """Assert that the line tells of that request and its answer."""
    shown = json.dumps(line)
    for key in KEYS:
        assert key in line, f"The line {shown} lacks {key!r}; right are {', '.join(KEYS)}."
    right = {"method": response.request.method, "path": path, "status": str(response.status_code)}
    for key, value in right.items():
        assert str(line[key]) == value, (
            f"The line {shown} has the {key} {line[key]!r}; "
            f"right for {request_line(response)} is {value}."
        )


def line_duration(line: dict[str, Any]) -> Span:
    """Return the duration in a line; assert that it is a number."""
    return parse_seconds(str(line["duration"]), f"The line {json.dumps(line)} has the duration")


async def _wait_for_lines(
    task: Task, clock: Clock, key: str, value: str, count: int
) -> list[dict[str, Any]]:
    began = clock.now
    while len(found := _lines_with(task, key, value)) < count and clock.now - began < _WAIT_LIMIT:
        await asyncio.sleep(_POLL_INTERVAL / seconds(1))
    return found


def _lines_with(task: Task, key: str, value: str) -> list[dict[str, Any]]:
    """Return the JSON lines of the output that have that value."""
    found = []
    for line in task.transcript.lines:
        try:
            content = json.loads(line.text)
        except (ValueError, RecursionError):
            continue
        if isinstance(content, dict) and str(content.get(key)) == value:
            found.append(content)
    return found


def _nearest_output(task: Task, request_id: str) -> str:
    """Return what there is in place of a line with that id, for a sentence."""
    lines = [line.text for line in task.transcript.lines if request_id in line.text]
    if lines:
        return f"the line {lines[0]!r} has it, but {_line_fault(lines[0])}"
    if not task.transcript.lines:
        return "it printed nothing at all"
    return f"the last line that it printed is {task.transcript.lines[-1].text!r}"


def _line_fault(line: str) -> str:
    try:
        content = json.loads(line)
    except (ValueError, RecursionError):
        return "is not JSON from end to end"
    return "not under the key 'id'" if isinstance(content, dict) else "is no JSON object"
