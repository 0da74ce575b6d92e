"""What an application tells of its requests: the headers of an answer, and its line of output."""

from __future__ import annotations

import asyncio
import json
import re
from typing import TYPE_CHECKING, Any

from checks.support.http import called, shown
from ml_api_lab.check import Hinted, Span, milliseconds, seconds

if TYPE_CHECKING:
    import httpx

    from ml_api_lab.check import Clock, Task

TIME = "X-Process-Time"
ID = "X-Request-ID"
KEYS = ("id", "method", "path", "status", "duration")
_LIMIT = seconds(7)
_STEP = milliseconds(500)
_SECONDS = re.compile(r"\d+(\.\d*)?(e-?\d+)?|\.\d+", re.IGNORECASE)


def header(response: httpx.Response, name: str) -> str:
    """Return a header of the answer; assert that it is there, once and not empty."""
    if response.status_code >= 500:
        raise Hinted(
            f"{called(response)} answered {response.status_code}{shown(response)}; right is an "
            f"answer with {name}, and no error."
        )
    values = response.headers.get_list(name)
    if not values:
        alike = [each for each in response.headers if _letters(each) == _letters(name)]
        raise Hinted(
            f"{called(response)} answered {response.status_code} without {name}"
            f"{f', but with {alike[0]}' if alike else ''}; right is this header on every answer.",
            "Does every answer pass through your middleware, does the application know of it, and "
            "under which name does it set the header, letter by letter?",
        )
    assert len(values) == 1 and values[0].strip(), (
        f"{called(response)} answered with {name}: {', '.join(values)!r}; right is one value."
    )
    return values[0].strip()


def process_time(response: httpx.Response) -> Span:
    """Return the time that the answer claims to have taken; assert that it is a number."""
    return _duration(header(response, TIME), f"{called(response)} answered with {TIME}")


async def line_of(task: Task, clock: Clock, request_id: str) -> dict[str, Any]:
    """Return the JSON line with that id, waiting for it; assert that there is just one."""
    began = clock.now
    while not (found := _told(task, "id", request_id)) and clock.now - began < _LIMIT:
        await asyncio.sleep(_STEP / seconds(1))
    if not found:
        raise AssertionError(
            f"No JSON line of the output has the id {request_id} ({_instead(task, request_id)}); "
            "right is one line for each request, with the id of its answer."
        )
    assert len(found) == 1, (
        f"{len(found)} JSON lines of the output have the id {request_id}; "
        "right is one line for each request."
    )
    return found[0]


async def with_status(task: Task, clock: Clock, status: int, count: int) -> list[dict[str, Any]]:
    """Return the JSON lines that tell of that status, waiting for that many."""
    began = clock.now
    while len(found := _told(task, "status", str(status))) < count and clock.now - began < _LIMIT:
        await asyncio.sleep(_STEP / seconds(1))
    return found


def expect_line(line: dict[str, Any], response: httpx.Response, path: str) -> None:
    """Assert that the line tells of that request and its answer."""
    shown = json.dumps(line)
    for key in KEYS:
        assert key in line, f"The line {shown} lacks {key!r}; right are {', '.join(KEYS)}."
    right = {"method": response.request.method, "path": path, "status": str(response.status_code)}
    for key, value in right.items():
        assert str(line[key]) == value, (
            f"The line {shown} has the {key} {line[key]!r}; "
            f"right for {called(response)} is {value}."
        )


def duration_of(line: dict[str, Any]) -> Span:
    """Return the duration that a line tells; assert that it is a number."""
    return _duration(str(line["duration"]), f"The line {json.dumps(line)} has the duration")


def _told(task: Task, key: str, value: str) -> list[dict[str, Any]]:
    """Return the JSON lines of the output that have that value."""
    found = []
    for line in task.transcript.lines:
        try:
            content = json.loads(line.text)
        except ValueError:
            continue
        if isinstance(content, dict) and str(content.get(key)) == value:
            found.append(content)
    return found


def _instead(task: Task, request_id: str) -> str:
    """Return what there is in place of a line with that id."""
    mixed = [line.text for line in task.transcript.lines if request_id in line.text]
    if mixed:
        return f"the line {mixed[0]!r} has it, but {_wrong_with(mixed[0])}"
    if not task.transcript.lines:
        return "it printed nothing at all"
    return f"the last line that it printed is {task.transcript.lines[-1].text!r}"


def _letters(name: str) -> str:
    return re.sub("[^a-z]", "", name.lower())


def _wrong_with(line: str) -> str:
    try:
        content = json.loads(line)
    except ValueError:
        return "is not JSON from end to end"
    return "not under the key 'id'" if isinstance(content, dict) else "is no JSON object"


def _duration(text: str, subject: str) -> Span:
    number = text.removesuffix("s").strip()
    assert _SECONDS.fullmatch(number), (
        f"{subject} {text!r}; right are seconds as a decimal number, such as 2.003."
    )
    return seconds(float(number))
