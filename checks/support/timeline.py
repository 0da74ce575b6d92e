"""Judging the steps that a script prints: lines such as `Finished task Task 1: 09:00:03`.

A step is named by what stands before its time. Lines that are no step are nobody's business.
"""

from __future__ import annotations

import asyncio
import difflib
import re
import textwrap
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from ml_api_lab.check import Hinted, Span, seconds

if TYPE_CHECKING:
    from ml_api_lab.check import Clock, Line, Run, Task

_SECOND = seconds(1)
_DAY_SECONDS = 24 * 3600
_TIME = re.compile(r"(\d\d):([0-5]\d):([0-5]\d)")
_ENDS = ("Finished", "Awaited")
_MOST_MISSING = 2
_SHOWN_CHARACTERS = 240
"""How much of what was printed a sentence has."""


def expect_order(run: Run, names: list[str]) -> None:
    """Assert that it printed each of these steps once, in this order, with or without a time.

    This asks for the step's very words, a colon and a blank before the time; the other functions
    read a step whatever stands between it and its time.
    """
    if missing := [name for name in names if _exact_step(run, name) is None]:
        raise _missing_step(run, *missing)
    printed = printed_steps(run, names)
    if printed != names:
        again = next((name for name in names if printed.count(name) > 1), None)
        late = next(right for seen, right in zip(printed, names, strict=False) if seen != right)
        raise Hinted(
            f"It printed {_joined(printed)}; the right order is {_joined(names)}.",
            f"Which lines of yours print {again!r}, or call what prints it?"
            if again
            else f"Which line of yours prints {late!r}, and what runs before it?",
        )


def expect_step_at(run: Run, name: str, *right: Span, first: str, hint: str = "") -> None:
    """Assert that a step came one of these times after the first step.

    Args:
        hint: what to ask, in place of the check's own, of a step at another time.
    """
    after = Span.__sub__(_step(run, name).at, _step(run, first).at)
    if after in right:
        return
    shown = " or ".join(str(each) for each in right)
    sentence = f"{name!r} came {after} after {first!r}; right is {shown} after it."
    word = name.split()[0]
    if word in _ENDS and after == seconds(0):
        raise Hinted(sentence, f"What does your code wait for before it prints {word!r}?")
    raise Hinted(sentence, hint) if hint else AssertionError(sentence)


def do_overlap(run: Run, ended: str, begun: str) -> bool:
    """Whether the step `begun` came at an earlier moment than the step `ended`."""
    between = lasted(run, begun, ended)
    return between is not None and between > seconds(0)


def lasted(run: Run, begun: str, ended: str) -> Span | None:
    """Return how long after one step another came; None if one of them was not printed."""
    first, last = find_step(run, begun), find_step(run, ended)
    return None if first is None or last is None else Span.__sub__(last.at, first.at)


async def expect_timestamps(task: Task, clock: Clock, names: list[str]) -> None:
    """Assert that each of these steps ends with the time, whenever `main.py` is run.

    That all of them are printed is another check's question.
    """
    await asyncio.sleep(task.draw.randint(2, 5))
    run = await task.run()
    for name in printed_steps(run, names) or names:
        line = _step(run, name)
        right = _second_of_day(line, clock)
        expected = f"{name}: {time.strftime('%X', time.gmtime(right))}"
        sentence = f"It printed {line.text!r}; right at that moment is {expected!r}."
        clock_time = _TIME.fullmatch(_time_text(line))
        if clock_time is None:
            raise Hinted(
                sentence,
                "How does a line end in the docstring? Hours, minutes and seconds, and nothing "
                "else.",
            )
        hours, minutes, secs = (int(each) for each in clock_time.groups())
        # The wall's clock is read on two sides and printed in whole seconds.
        tolerance = 0 if clock.name == "lab" else 2
        apart = (hours * 3600 + minutes * 60 + secs - right) % _DAY_SECONDS
        if min(apart, _DAY_SECONDS - apart) > tolerance:
            if name == names[0]:
                raise Hinted(
                    sentence,
                    "This run began some seconds after 09:00:00. From where does your line have "
                    "its time?",
                )
            raise AssertionError(sentence)


def hide_marks(task: Task, marker: str, shown: str = "") -> None:
    """Leave a marker that a check has printed out of what its card shows.

    What was raised in no line of the student's, but where the check calls it, is left out as well.

    Args:
        shown: what stands there in the place of a line that is the marker alone, "" for nothing.
    """
    lines = task.transcript.lines
    lines[:] = [
        replace(line, text=shown) if line.text == marker else line
        for line in lines
        if marker not in line.text or (shown and line.text == marker)
    ]
    task.transcript.raised[:] = [each for each in task.transcript.raised if each.frames]


def expect_same_steps(run: Run, script: Run, names: list[str], call: str) -> None:
    """Assert that the call of `main` printed the steps that the script prints, no more or less."""
    # What the script has to print is another check's question: main prints no less.
    right = printed_steps(script, names) or names
    printed = printed_steps(run, names)
    if printed != right:
        raise Hinted(
            f"Called after an import, {call} printed {_joined(printed) or 'nothing'}; right is "
            f"what the script prints, {_joined(right)}.",
            "Which lines of your file run in main, and which outside of it?",
        )


async def expect_import_does_nothing(task: Task) -> None:
    """Assert that `main.py` goes to work as a script, and does nothing when it is imported."""
    run = await task.run()
    assert run.lines, "Run as a script, main.py printed nothing; right is that it runs both tasks."
    loaded = await task.load()
    assert not loaded.lines, (
        f"Imported, main.py printed {loaded.lines[0].text!r}; right is that it does nothing."
    )
    assert loaded.elapsed < seconds(1), (
        f"Importing main.py took {loaded.elapsed}; right is that it does nothing and takes no time."
    )


def printed_steps(run: Run, names: list[str]) -> list[str]:
    """Return those of the steps that it printed, in the order in which it did."""
    return [_name(line) for line in _steps(run) if _name(line) in names]


def find_step(run: Run, name: str) -> Line | None:
    """Return the line of a step, or one that was meant to be it; None if it was not printed."""
    steps = (line for line in _steps(run) if _name(line) == name)
    return next(steps, None) or _misspelled(run, name)


def _step(run: Run, name: str) -> Line:
    found = find_step(run, name)
    if found is None:
        raise _missing_step(run, name)
    return found


def _exact_step(run: Run, name: str) -> Line | None:
    steps = (line for line in _steps(run) if _name(line) == name)
    return next((each for each in steps if ": " in each.text or not _time_text(each)), None)


def _missing_step(run: Run, name: str, *others: str) -> AssertionError:
    """Return the error for a step that was never printed: what is there instead, if known.

    Args:
        others: what was never printed either.
    """
    never = f"It never printed a line that reads {name!r}"
    if not run.lines:
        return AssertionError(f"{never}; it printed nothing at all.")
    near = next((line for line in _steps(run) if _name(line) == name), None)
    near = near or _misspelled(run, name)
    if near is not None:
        sentence = (
            f"It printed {near.text.strip()!r}; right is {name!r}, alone or with ': ' and the time "
            "behind it."
        )
        if _name(near) == name:
            return Hinted(sentence, "What stands between the step and its time in the docstring?")
        return AssertionError(sentence)
    start = name.replace("Finished ", "Starting ", 1)
    if start != name and any(_name(line) == start for line in run.lines):
        return Hinted(
            f"{never}: it printed {start!r}, and ended before that was finished.",
            "Who waits for that task, and until when? What still runs when main ends is cancelled.",
        )
    if any("Warning" in line.text for line in run.lines):
        return AssertionError(f"{never}, alone or with ': ' and the time behind it.")
    more = f" or {' or '.join(map(repr, others))}" if len(others) <= _MOST_MISSING else ""
    printed = _joined(list(dict.fromkeys(_name(line) for line in _steps(run))))
    shown = textwrap.shorten(printed, _SHOWN_CHARACTERS, placeholder=" ...")
    return AssertionError(f"{never}{more if others else ''}; it printed {shown}.")


def _steps(run: Run) -> list[Line]:
    """Return its lines; where a step has a time, an extra print of its name alone is none."""
    timed = {_name(line) for line in run.lines if _TIME.fullmatch(_time_text(line))}
    return [
        line for line in run.lines if _name(line) not in timed or _TIME.fullmatch(_time_text(line))
    ]


def _name(line: Line) -> str:
    return line.text.strip().partition(":")[0].strip()


def _time_text(line: Line) -> str:
    return line.text.strip().partition(":")[2].strip()


def _second_of_day(line: Line, clock: Clock) -> int:
    """Return the second of the day at which a line was printed."""
    if clock.name == "lab":
        return 9 * 3600 + line.at // _SECOND
    return int(time.time() - Span.__sub__(clock.now, line.at) / _SECOND) % _DAY_SECONDS


def _joined(names: list[str]) -> str:
    return ", ".join(names)


def _misspelled(run: Run, name: str) -> Line | None:
    """Return the line that was to be that step, None if there is none like it.

    Another step is often as similar ('Created task 1' and 'Awaited task 1', or another number), so
    the first word and the numbers must be alike as well. A warning is no step.
    """
    word, numbers = name.split()[0].lower(), re.findall(r"\d+", name)
    for line in run.lines:
        text = line.text.strip()
        shown = _TIME.sub("", text).rstrip(": ")
        words = shown.lower().split()
        if (
            words
            and "Warning" not in text
            and re.findall(r"\d+", shown) == numbers
            and difflib.get_close_matches(word, words[:1], cutoff=0.6)
            and difflib.get_close_matches(name.lower(), [shown.lower()], cutoff=0.6)
        ):
            return line
    return None
