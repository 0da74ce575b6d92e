"""The card: all that a student sees of a failed check.

It comes in two lengths. The brief one fits a screen together with what pytest writes around it: the
log ends beside what the sentence speaks of, and rows end at the terminal's width. The whole one,
for reports and `-v`, leaves out only what would fill a disk.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from ml_api_lab.course.catalog import Check
from ml_api_lab.errors import LabError
from ml_api_lab.grading.hint import NEVER_AWAITED
from ml_api_lab.grading.rows import shortened, wrapped
from ml_api_lab.lab_time import Span, time_of_day
from ml_api_lab.sandbox.transcript import Line, Raised, RequestRecord, Transcript
from ml_api_lab.sanitize import (
    CARD_LIMIT,
    MESSAGE_LIMIT,
    ROW_LIMIT,
    sanitize,
    sanitize_and_truncate,
    truncate,
)

COLUMNS = 80
"""How wide a card is where there is no terminal."""

_BRIEF_ROWS = 15
_MIN_BLOCK_ROWS = 3
_PRINTED = "What it printed:"
_MAX_ROWS = 100
_FRAMES = 2
_QUOTED_BODY_WEIGHT = 100
"""More than all words of a request can weigh: the sentence has its very body."""

_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_QUOTED = re.compile(r"'([^']{3,})'")
_WORD = re.compile(r"[\w./-]{3,}")


@dataclass(frozen=True)
class _Row:
    """A row of a block.

    Attributes:
        weight: how much of the sentence speaks of it, 0 for nothing.
        group: rows of one group are shown together, as an answer under its request.
    """

    text: str
    weight: int = 0
    group: int = 0


def card(
    check: Check,
    message: str,
    transcript: Transcript | None,
    rerun_command: str,
    *,
    hint: str | None = None,
    is_lab_time: bool = True,
    columns: int = COLUMNS,
    is_whole: bool = False,
) -> str:
    """Return the card of a failed check as plain text, of a bounded length.

    What the submission said is cut by line and by row; where something is left out, the card says
    so.

    Args:
        message: what was seen against what is right, in a sentence.
        transcript: what happened, None if nothing did.
        rerun_command: the command that runs this check again.
        hint: in place of the check's own; "" for none.
        is_lab_time: whether the times in the transcript are lab time, and not the wall clock's.
        columns: the terminal's width.
        is_whole: whether what the sentence does not speak of is shown as well.
    """
    if hint is None:
        hint = check.hint
    columns = max(columns, 20)
    message_rows = wrapped(message, columns) if is_whole else shortened(message, columns)
    title = wrapped(f"{check.title}  (0 of {_points_text(check.points)})", columns)
    hint_rows = wrapped(f"Hint: {hint}", columns) if hint else []
    blocks = []
    if transcript is not None:
        blocks = _blocks(message, transcript, columns, is_lab_time=is_lab_time, is_whole=is_whole)
    again = f"Again: {rerun_command}"
    if not is_whole:
        fixed = len(title) + len(message_rows) + len(hint_rows) + 2 + -(-len(again) // columns)
        blocks = _fitted(blocks, _BRIEF_ROWS - fixed, columns)
    body = sanitize_and_truncate(
        "\n\n".join("\n".join([name, *(f" {row.text}" for row in rows)]) for name, rows in blocks),
        CARD_LIMIT,
    )
    # Made plain last, as the reader's lines are: wrapping could begin one with a command.
    head = "\n".join([*title, "", *message_rows, *hint_rows])
    return sanitize("\n\n".join(filter(None, [head, body, again])))


def message_of(error: BaseException | None, *, skipped: bool = False) -> str:
    """Return the sentence that says why a check failed; it is plain and of a bounded length."""
    return sanitize_and_truncate(_sentence(error, skipped), MESSAGE_LIMIT)


def _sentence(error: BaseException | None, skipped: bool) -> str:
    if isinstance(error, LabError):
        return str(error)
    if isinstance(error, AssertionError):
        # pytest appends its own explanation of the comparison to the author's sentence.
        return str(error).split("\nassert ")[0]
    if skipped:
        return "The check was skipped, and a skipped check earns nothing."
    kind = type(error).__name__ if error is not None else "an unknown error"
    return f"The check could not make sense of what it got ({kind}: {error})."


def _points_text(number: int) -> str:
    return "1 point" if number == 1 else f"{number} points"


# --- what happened, what it printed, what it raised -----------------------------------------------


def _blocks(
    message: str, transcript: Transcript, columns: int, *, is_lab_time: bool, is_whole: bool
) -> list[tuple[str, list[_Row]]]:
    """Return the blocks below the sentence, each with its name and all that it could show."""
    blocks = []
    if rows := _log(message, transcript):
        name = "What happened, in lab time:" if is_lab_time else "What happened:"
        blocks.append((name, _around(rows, _MAX_ROWS) if is_whole else rows))
    if transcript.lines:
        rows = _printed(
            message, transcript.lines, "" if is_whole else transcript.shown_as, columns - 1
        )
        rows = _around(rows, _MAX_ROWS) if is_whole else rows
        if transcript.dropped:
            rows.append(_Row(f"   ... and {transcript.dropped} lines more, which were not kept"))
        if transcript.unread:
            rows.append(_Row(f"   ... and {transcript.unread} bytes more, which were not read"))
        blocks.append((_PRINTED, rows))
    raised = _unique(transcript.raised)
    blocks.extend(
        _traceback(each, message, is_whole) for each in (raised if is_whole else raised[-1:])
    )
    if is_whole:
        return blocks
    return [
        (_cut(name, columns), [_Row(_cut(r.text, columns - 1), r.weight, r.group) for r in rows])
        for name, rows in blocks
    ]


def _fitted(
    blocks: list[tuple[str, list[_Row]]], room: int, columns: int
) -> list[tuple[str, list[_Row]]]:
    """Return the blocks with as many rows as there is room for, but each with a few."""
    shares = [len(rows) for _, rows in blocks]

    # Each block has its name and an empty row as well.
    def is_too_much() -> bool:
        return sum(shares) + 2 * len(shares) > room

    while shares and is_too_much() and max(shares) > _MIN_BLOCK_ROWS:
        shares[shares.index(max(shares))] -= 1
    weights = [max((row.weight for row in rows), default=0) for _, rows in blocks]
    for number, (name, _) in enumerate(blocks):
        # Where the sentence speaks of a request, and of nothing that was printed.
        if name == _PRINTED and not weights[number] and any(weights[:number]) and is_too_much():
            shares[number] = 1
    return [
        (name, [_Row(_cut(row.text, columns - 1)) for row in _around(rows, share)])
        for (name, rows), share in zip(blocks, shares, strict=True)
    ]


def _around(rows: list[_Row], max_rows: int) -> list[_Row]:
    """Return the rows beside those that matter most, and say how many are left out."""
    if len(rows) <= max_rows:
        return rows
    heaviest = max(row.weight for row in rows)
    if not heaviest:
        # Nothing speaks of any of them: how it began, and where the check stopped.
        first, last = max_rows // 2, max((max_rows - 1) // 2, min(max_rows - 1, 1))
        left_out = len(rows) - first - last
        return [
            *rows[:first],
            _Row(f"   ... {left_out} more (all with -v)"),
            *rows[len(rows) - last :],
        ]
    focus = max(i for i, row in enumerate(rows) if row.weight == heaviest)
    kept = max_rows - (1 if focus >= len(rows) - max_rows + 1 or focus < max_rows - 1 else 2)
    kept = max(kept, 1)
    group = [i for i, row in enumerate(rows) if row.group and row.group == rows[focus].group]
    first = min(group, default=focus)
    if kept < len(group):
        # So little room: what is left out above and below is one row.
        shown = rows[first : first + max_rows - 1]
        return [*shown, _Row(f"   ... {len(rows) - len(shown)} more (all with -v)")]
    if focus < max_rows - 1:
        start = 0
    else:
        start = min(max(first - (kept - len(group or [focus])) // 2, 0), len(rows) - kept)
        start = max(start, focus - kept + 1)
    end = start + kept
    before = [_Row(f"   ... {start} more above (all with -v)")] if start else []
    after = len(rows) - end
    below = [_Row(f"   ... {after} more below (all with -v)")] if after > 0 else []
    return [*before, *rows[start:end], *below]


def _log(message: str, transcript: Transcript) -> list[_Row]:
    """Return the requests, each with its answer below it, and the notes between them."""
    entries = transcript.entries
    weights = [
        _weight(message, entry) if isinstance(entry, RequestRecord) else 0 for _, entry in entries
    ]
    most = max(weights, default=0)
    marked = max((i for i, weight in enumerate(weights) if weight == most), default=-1)
    if not most:
        marked = -1
    rows: list[_Row] = []
    numbered = [(i, at, entry) for i, (at, entry) in enumerate(entries)]
    for number, (_, group) in enumerate(groupby(numbered, key=lambda each: _same(each[2])), 1):
        alike = list(group)
        is_marked = any(i == marked for i, _, _ in alike)
        lead, weight = (">> " if is_marked else "   "), int(is_marked)
        _, at, entry = alike[0]
        if isinstance(entry, str):
            if entry.removeprefix("!! ") in message:
                continue
            rows.append(_Row(_row(f"{lead}{time_of_day(at):<12} ", entry), weight, number))
            continue
        records = [each for _, _, each in alike if isinstance(each, RequestRecord)]
        times = f"  ({len(records)} x the same)" if len(records) > 1 else ""
        rows.append(
            _Row(_row(f"{lead}{time_of_day(at):<12} -> ", entry.text) + times, weight, number)
        )
        if entry.answered is not None:
            when = _answer_times(records)
            text = _row(f"   {time_of_day(entry.answered):<12} <- ", entry.answer)
            rows.append(_Row(text + when, weight, number))
    return rows


def _same(entry: str | RequestRecord) -> tuple[object, ...]:
    """Return what two entries that follow each other have in common if one row can tell both."""
    if isinstance(entry, str):
        return (entry,)
    answered = entry.answered is not None
    return entry.sent, _ID.sub("id", entry.text), _ID.sub("id", entry.answer), answered


def _answer_times(records: Sequence[RequestRecord]) -> str:
    if len(records) == 1:
        return ""
    times = [Span(each.answered) for each in records if each.answered is not None]
    if len(set(times)) == 1:
        return ""
    shown = ", ".join(str(each).removesuffix(" s") for each in times[:12])
    return f"  at {shown}{', ...' if len(times) > 12 else ''} s"


def _weight(message: str, record: RequestRecord) -> int:
    """Return how much of a sentence speaks of that request."""
    path = record.target.partition("?")[0]
    named = re.search(rf"(?<![\w/]){re.escape(path)}(?![\w/-])", message) is not None
    if not named:
        return 0
    weight = 4
    weight += 2 * (f"{record.method} {path}" in message)
    weight += 2 * (re.search(rf"\b{record.status}\b", message) is not None)
    if record.body and f" with {record.body} " in message:
        weight += _QUOTED_BODY_WEIGHT
    words = set(_WORD.findall(message))
    return weight + len(words & set(_WORD.findall(f"{record.text} {record.answer}")))


def _printed(message: str, lines: list[Line], folder: str, columns: int) -> list[_Row]:
    """Return what was printed, equal lines of a moment as one; marked what the sentence quotes.

    Args:
        folder: where the submission lies: left out in front of a warning, which has its file; ""
            for rows that are whole.
        columns: how much room a row has.
    """
    runs = [list(group) for _, group in groupby(lines, key=lambda line: (line.text, line.at))]
    texts = [run[0].text.strip() for run in runs]
    quoted = [
        i
        for i, text in enumerate(texts)
        if len(text) > 2 and (repr(text) in message or text in message)
    ] or _begun(message, texts)
    awaited = [i for i, run in enumerate(runs) if NEVER_AWAITED.search(run[0].text)]
    marked = set(awaited[:1] or quoted[:2])
    rows = []
    for i, run in enumerate(runs):
        lead = ">> " if i in marked else "   "
        lead = f"{lead}{time_of_day(run[0].at):<12}| "
        shown = run[0].text.removeprefix(f"{folder}/")
        if folder and i in awaited:
            shown = _never_awaited(shown, columns - len(lead))
        text = _row(lead, shown)
        more = f"  ({len(run)} x the same)" if len(run) > 1 else ""
        rows.append(_Row(text + more, int(i in marked)))
    return rows


def _never_awaited(warning: str, room: int) -> str:
    """Return a warning so short that its end is not what is cut: the coroutine, not awaited."""
    if len(warning) <= room:
        return warning
    shorter = warning.replace("RuntimeWarning: ", "")
    if len(shorter) <= room:
        return shorter
    found = NEVER_AWAITED.search(warning)
    return found[0] if found else shorter


def _begun(message: str, texts: list[str]) -> list[int]:
    """Return which texts begin with what the sentence quotes, one for each quotation."""
    found = []
    for begin in _QUOTED.findall(message):
        shortest = min((text for text in texts if text.startswith(begin)), key=len, default=None)
        if shortest is not None:
            found.append(texts.index(shortest))
    return found


def _unique(raised: list[Raised]) -> list[Raised]:
    unique = {(each.type, each.text, each.frames): each for each in raised}
    return list(unique.values())[:3]


def _traceback(raised: Raised, message: str, is_whole: bool) -> tuple[str, list[_Row]]:
    if not is_whole and len(raised.frames) == 1 and f"{raised} ({raised.frames[0]})" in message:
        # The sentence has said it all but for the line itself.
        frame = raised.frames[0]
        return f"{frame}:", [_Row(_row("     ", row)) for row in frame.source.splitlines()[:2]]
    rows: list[_Row] = []
    frames = raised.frames if is_whole else raised.frames[-_FRAMES:]
    for number, frame in enumerate(frames, 1):
        weight = int(number == len(frames))
        rows.append(_Row(_row(" ", str(frame)), weight, number))
        if frame.source:
            rows += [
                _Row(_row("     ", row), weight, number) for row in frame.source.splitlines()[:2]
            ]
    first, *more = truncate(str(raised), MESSAGE_LIMIT).splitlines() or [""]
    when = " when it shut down" if raised.stage == "shutdown" else ""
    rows[:0] = [_Row(f" {line}") for line in more]
    if not raised.frames:
        rows.append(_Row(" in no line of yours, but in code that was given something of yours"))
    shown = _around(rows, _MAX_ROWS) if is_whole else rows
    return f"It raised{when} {first}", shown


def _row(lead: str, text: str) -> str:
    return lead + sanitize_and_truncate(
        text[: ROW_LIMIT + 1].replace("\n", "\\n").replace("\t", "\\t"), ROW_LIMIT
    )


def _cut(text: str, columns: int) -> str:
    """Return the row cut to the terminal's width; a count at its end stays."""
    if len(text) <= columns:
        return text
    end = re.search(r"  (?:\(\d+ x the same\)|at [\d., ]+ s)$", text)
    tail = f" ...{end[0]}" if end and len(end[0]) < columns // 2 else " ..."
    return text[: columns - len(tail)] + tail
