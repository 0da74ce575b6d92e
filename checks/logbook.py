"""The log of predictions that an application keeps: reading `predictions.jsonl`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from checks.predicting import FEATURES, named
from shared.check import Span, milliseconds, seconds

if TYPE_CHECKING:
    from shared.check import Clock, Task

FILE = "predictions.jsonl"
DELAY = seconds(5)
_LIMIT = seconds(8)
_STEP = milliseconds(100)
_SHOWN = 200


def begin(task: Task, *earlier: str) -> None:
    """Let the log hold these lines alone, or not be there: runs by hand may have left one."""
    task.files.remove(FILE)
    if earlier:
        task.files.write(FILE, "".join(f"{line}\n" for line in earlier))


def lines(task: Task) -> list[str]:
    """Return the log's lines, blank ones left out; none if there is no log."""
    text = task.files.text(FILE) if task.files.exists(FILE) else ""
    return [line for line in text.split("\n") if line.strip()]


def records(task: Task) -> list[dict[str, Any]]:
    """Return what the log's lines say; assert that each is one JSON object."""
    return [_record(number, line) for number, line in enumerate(lines(task), start=1)]


def _record(number: int, line: str) -> dict[str, Any]:
    try:
        content = json.loads(line)
    except ValueError:
        content = None
    shown = line if len(line) <= _SHOWN else f"{line[:_SHOWN]}..."
    assert isinstance(content, dict), (
        f"Line {number} of {FILE} is {shown}; right is one whole JSON object on a line of its own."
    )
    return content


async def reach(task: Task, clock: Clock, count: int) -> Span:
    """Wait until the log has that many lines; return the moment to a tenth of a second.

    Asserts that it comes to that, with time enough for every log that is written behind an answer.
    """
    began = clock.now
    while len(lines(task)) < count:
        waited = clock.now - began
        assert waited < _LIMIT, (
            f"{FILE} {_has(len(lines(task)))} {_LIMIT} after the last answer; "
            f"right is {_lines(count)}, one for each prediction."
        )
        # Whole steps from the beginning, so that no rounding adds up.
        step = (int(waited) // _STEP + 1) * _STEP
        await asyncio.sleep((step - int(waited)) / seconds(1))
    return clock.now


def expect_record(task: Task, model: str, features: Sequence[float], answer: int) -> None:
    """Assert that a line of the log tells of this prediction."""
    assert lines(task), f"{FILE} is not there, or empty; right is a line for each prediction."
    found = records(task)
    right = {"model": model, "features": named(features), "prediction": answer}
    assert any(_tells(record, right) for record in found), (
        f"No line of {FILE} is right for {json.dumps(right)}; its lines are {_shown(found)}."
    )


def expect_count(task: Task, count: int, because: str) -> None:
    """Assert that the log has that many lines now; `because` is the rest of the sentence."""
    seen = lines(task)
    assert len(seen) == count, (
        f"{FILE} {_has(len(seen))} ({' '.join(seen)[:_SHOWN] or 'nothing'}); "
        f"right is {_lines(count)}, because {because}."
    )


def _tells(record: Mapping[str, Any], right: Mapping[str, Any]) -> bool:
    features = record.get("features")
    return (
        record.get("model") == right["model"]
        and _same(record.get("prediction"), right["prediction"])
        and isinstance(features, dict)
        and all(_same(features.get(name), right["features"][name]) for name in FEATURES)
    )


def _same(seen: object, right: float) -> bool:
    return isinstance(seen, int | float) and not isinstance(seen, bool) and seen == right


def _shown(found: list[dict[str, Any]]) -> str:
    text = ", ".join(json.dumps(each) for each in found)
    return text if len(text) <= 2 * _SHOWN else f"{text[: 2 * _SHOWN]}..."


def _has(count: int) -> str:
    return f"has {_lines(count)}" if count else "is not there, or empty,"


def _lines(count: int) -> str:
    return "1 line" if count == 1 else f"{count} lines"
