"""The log of predictions that an application keeps: reading `predictions.jsonl`."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from checks.support.json_lines import object_in
from checks.support.predictions import FEATURES, as_class, features_by_name
from checks.support.source import where_it_stands
from checks.support.wording import joined
from ml_api_lab.check import FAILS, Hinted, Span, SubmissionFault, milliseconds, seconds

if TYPE_CHECKING:
    from ml_api_lab.check import Clock, Task

FILE = "predictions.jsonl"
DELAY = seconds(5)
_WAIT_LIMIT = seconds(8)
_POLL_INTERVAL = milliseconds(100)
_POLL_MARGIN = milliseconds(1)
_EXCERPT_CHARACTERS = 200
_NOT_WRITTEN = (
    "Has your logger run at all, and in which file does it write? Who runs what is handed to a "
    "BackgroundTasks, and where does yours come from?"
)
_OTHER_FILE = (
    "In which file does your logger write? Compare its folder and its name with those in the task, "
    "letter by letter."
)
_DECODER = json.JSONDecoder()
_MISSING = object()
_BLANKS = re.compile(r"\s*")

_MAX_BYTES = 2**20
_MAX_LINES = 2_000
"""What a log may come to in a check: some forty lines of two hundred characters."""


def reset(task: Task, *earlier: str) -> None:
    """Let the log hold these lines alone, or not be there: runs by hand may have left one."""
    task.files.remove(FILE)
    if earlier:
        task.files.write(FILE, "".join(f"{line}\n" for line in earlier))


def lines(task: Task) -> list[str]:
    """Return the log's lines, blank ones left out; none if there is no log."""
    found = [line for line in text(task).split("\n") if line.strip()]
    if len(found) > _MAX_LINES:
        raise SubmissionFault(f"{FILE} has {len(found)} lines, more than anybody has asked for.")
    return found


def text(task: Task) -> str:
    """Return the whole log, "" if there is none."""
    return task.files.text(FILE, _MAX_BYTES) if task.files.exists(FILE) else ""


def entries(task: Task) -> list[dict[str, Any]]:
    """Return what the log tells, however it is divided into lines.

    A record may go over several lines, several may stand on one, all may stand in one list. What
    cannot be read is {}.
    """
    found: list[object] = []
    whole = text(task)
    place = _end_of_blanks(whole, 0)
    try:
        while place < len(whole):
            content, place = _DECODER.raw_decode(whole, place)
            found += content if isinstance(content, list) else [content]
            place = _end_of_blanks(whole, place)
            if len(found) > _MAX_LINES:
                raise SubmissionFault(f"{FILE} has more entries than anybody has asked for.")
    except (ValueError, RecursionError):  # half a line, or no JSON at all
        return [object_in(line) for line in lines(task)]
    return [each if isinstance(each, dict) else {} for each in found]


def records(task: Task) -> list[dict[str, Any]]:
    """Return what the log's lines say; assert that each is one JSON object."""
    return [_record(number, line) for number, line in enumerate(lines(task), start=1)]


def _record(number: int, line: str) -> dict[str, Any]:
    try:
        content = json.loads(line)
    except (ValueError, RecursionError):
        content = None
    shown = line if len(line) <= _EXCERPT_CHARACTERS else f"{line[:_EXCERPT_CHARACTERS]}..."
    if not isinstance(content, dict):
        what = ", which is a Python dict and no JSON" if line.startswith("{'") else ""
        raise Hinted(
            f"Line {number} of {FILE} is {shown}{what}; right is one whole JSON object on a line "
            "of its own.",
            _hint_for_line(line),
        )
    return content


def _hint_for_line(line: str) -> str:
    """Return what to ask of a line that is not one JSON object."""
    if line.startswith("{'"):
        return "Which function of the module json makes a line of an entry?"
    if line.startswith("["):
        return "Is your file one JSON list, or a line of JSON for each prediction?"
    if line.strip() == "{":
        return "What is json.dumps given beside the entry? Alone it writes one line."
    if "}{" in line:
        return "What writes the line break behind an entry, and is it part of the same write?"
    return "Where does a line of your file begin and end, and who may write in between?"


async def wait_for_predictions(
    task: Task, clock: Clock, count: int, *, since: str | None = None, is_tested: bool = False
) -> Span:
    """Wait until that many predictions are logged; return the moment to a tenth of a second.

    Asserts that it comes to that, with time enough for every log that is written behind an answer.
    How the log is divided into lines is not judged here.

    Args:
        since: what the log was before the last prediction, for a check that does not ask whether
            earlier lines stay: that it is another now is enough.
        is_tested: whether the check's own question is why there may be fewer.
    """
    began = clock.now
    step = 0
    while len(entries(task)) < count if since is None else text(task) in ("", since):
        if step * _POLL_INTERVAL >= _WAIT_LIMIT:
            begun = lines(task)
            right = f"{_line_count(count)}, one for each prediction, each ended by a line break"
            sentence = (
                f"{_WAIT_LIMIT} after the last answer {FILE} "
                f"{_state_of_log(task)}{_content_excerpt(task)}; right is "
                f"{right if begun else 'a line for each prediction, ended by a line break'}."
            )
            if is_tested:
                raise AssertionError(sentence)
            if begun and not _has_raised(task):
                raise Hinted(
                    sentence,
                    "Does your logger add its line to the file, or does it begin the file anew?",
                )
            raise _nothing_written(task, sentence)
        step += 1
        # A little behind the step itself: waits in parts come to a few nanoseconds more.
        await asyncio.sleep((began + step * _POLL_INTERVAL + _POLL_MARGIN - clock.now) / seconds(1))
    return max(began, clock.now - _POLL_MARGIN)


def _end_of_blanks(whole: str, place: int) -> int:
    found = _BLANKS.match(whole, place)
    return found.end() if found else place


def _nothing_written(task: Task, sentence: str) -> Hinted:
    """Return the error of a log to which nothing was added: why, as far as can be seen."""
    if _has_raised(task):
        return Hinted(sentence)
    if _other_file(task):
        return Hinted(sentence, _OTHER_FILE)
    return Hinted(f"{sentence} {where_it_stands(task, 'log_prediction')}", _NOT_WRITTEN)


def _has_raised(task: Task) -> bool:
    """Whether anything was raised, but for what a check has told a model to raise."""
    return any(FAILS not in each.text for each in task.transcript.raised)


def expect_record(
    task: Task, model: str, features: Sequence[float], answer: int, *, exact: bool = True
) -> None:
    """Assert that a line of the log tells of this prediction.

    Args:
        exact: whether it has to be JSON with the right types, on a line of its own. Where another
            check asks for that, a dictionary as Python shows it, a list of features and a
            prediction as text will do (see `entries` as well).
    """
    assert lines(task), f"{FILE} {_state_of_log(task)}; right is a line for each prediction."
    found = records(task) if exact else entries(task)
    right = {"model": model, "features": features_by_name(features), "prediction": answer}
    read = found if exact else [_read_kindly(each) for each in found]
    if any(_matches(record, right) for record in read):
        return
    sentence = f"No line of {FILE} is right for {json.dumps(right)}"
    if not read:  # one empty list, say
        raise AssertionError(f"{sentence}; it has {_content_excerpt(task).strip()}.")
    # Of several as near, the one that was written last.
    nearest = min(reversed(read), key=lambda record: len(_differences(record, right)))
    different = _differences(nearest, right)
    if len(different) > len(FEATURES):
        raise AssertionError(f"{sentence}; its lines are {_records_excerpt(found)}.")
    hint = "What becomes of it between predict, which knows it, and the line?"
    if all(seen is _MISSING for seen in different.values()):
        hint = "Which keys does your logger write, and under which names?"
        if set(different) <= set(FEATURES) and set(nearest["features"]) <= set(FEATURES):
            hint = "Does your logger get every feature, also one that the request leaves out?"
    raise Hinted(f"{sentence}; in the nearest line {_differences_text(different)}.", hint)


def _read_kindly(entry: dict[str, Any]) -> dict[str, Any]:
    """Return what an entry of the log means, whatever the types of its values."""
    features = entry.get("features")
    if isinstance(features, list) and len(features) == len(FEATURES):
        features = features_by_name(features)
    return {**entry, "features": features, "prediction": as_class(entry.get("prediction"))}


def expect_every_record(task: Task, model: str, features: Sequence[float], answer: int) -> None:
    """Assert that every line of the log tells of this prediction."""
    right = {"model": model, "features": features_by_name(features), "prediction": answer}
    for record in records(task):
        assert _matches(record, right), (
            f"A line of {FILE} is {json.dumps(record)}; right is {json.dumps(right)}."
        )


def expect_addition(task: Task, *earlier: str) -> None:
    """Assert that something has been written behind these earlier lines."""
    if lines(task) != list(earlier):
        return
    other = _other_file(task)
    seen = f", but {other} is there" if other else ""
    raise _nothing_written(
        task,
        f"Nothing was added to the {_line_count(len(earlier))} that {FILE} had before{seen}; right "
        "is a line for each prediction.",
    )


def expect_line_count(task: Task, count: int, because: str, *, exact: bool = True) -> None:
    """Assert that the log has that many lines now.

    Args:
        because: the rest of the sentence.
        exact: whether lines count, or what the log tells, however it is divided into lines.
    """
    assert len(lines(task) if exact else entries(task)) == count, (
        f"{FILE} {_state_of_log(task)}{_content_excerpt(task)}; right is {_line_count(count)}, "
        f"because {because}."
    )


def expect_lines(task: Task) -> None:
    """Assert that each line is JSON, ended by a line break, and that there are no blank ones."""
    records(task)
    expect_line_endings(task)


def expect_line_endings(task: Task) -> None:
    """Assert that every line is ended by a line break, and that there are no blank ones."""
    whole = text(task)
    where = "Where does your logger write its line break: before the line, or behind it?"
    if not whole.endswith("\n"):
        begin = f"begins with {whole[:20]!r} and " if whole.startswith("\n") else ""
        raise Hinted(
            f"{FILE} {begin}ends with {whole[-20:]!r}; right is a line break behind each line.",
            where,
        )
    if "" in whole[:-1].split("\n"):
        raise Hinted(
            f"{FILE} has blank lines; right is one line for each prediction, and nothing between "
            "them.",
            where,
        )


def _matches(record: Mapping[str, Any], right: Mapping[str, Any]) -> bool:
    features = record.get("features")
    return (
        record.get("model") == right["model"]
        and _is_same_number(record.get("prediction"), right["prediction"])
        and isinstance(features, dict)
        and all(_is_same_number(features.get(name), right["features"][name]) for name in FEATURES)
    )


def _differences(record: Mapping[str, Any], right: Mapping[str, Any]) -> dict[str, object]:
    """Return what a line has in place of what is right, by the names of the keys."""
    different = {
        key: record.get(key, _MISSING)
        for key in ("model", "prediction")
        if not _matches({**right, key: record.get(key)}, right)
    }
    features = record.get("features", _MISSING)
    if not isinstance(features, dict):
        return different | {"features": features}
    return different | {
        name: features.get(name, _MISSING)
        for name in FEATURES
        if not _is_same_number(features.get(name), right["features"][name])
    }


def _differences_text(different: Mapping[str, object]) -> str:
    missing = [name for name, seen in different.items() if seen is _MISSING]
    told = [
        f"{name} is {json.dumps(seen)}" for name, seen in different.items() if seen is not _MISSING
    ]
    told += [f"{joined(missing)} {'is' if len(missing) == 1 else 'are'} missing"] if missing else []
    return joined(told)


def _is_same_number(seen: object, right: float) -> bool:
    return isinstance(seen, int | float) and not isinstance(seen, bool) and seen == right


def _records_excerpt(found: list[dict[str, Any]]) -> str:
    shown = ", ".join(json.dumps(each) for each in found)
    most = 2 * _EXCERPT_CHARACTERS
    return shown if len(shown) <= most else f"{shown[:most]}..."


def _state_of_log(task: Task) -> str:
    """Return what there is of the log, as the rest of a sentence."""
    if count := len(lines(task)):
        return f"has {_line_count(count)}"
    if task.files.exists(FILE):
        return "is empty"
    other = _other_file(task)
    return f"is not there, but {other} is" if other else "is not there"


def _other_file(task: Task) -> str:
    """Return the file of another name that may be meant to be the log, "" if there is none."""
    found = (
        name
        for name in task.files.names()
        if "prediction" in name.lower() and not name.endswith((".py", ".pyc")) and name != FILE
    )
    return next(found, "")


def _content_excerpt(task: Task) -> str:
    shown = " ".join(lines(task))
    if len(shown) > _EXCERPT_CHARACTERS:
        shown = f"{shown[:_EXCERPT_CHARACTERS]}..."
    return f" ({shown})" if shown else ""


def _line_count(count: int) -> str:
    return "1 line" if count == 1 else f"{count} lines"
