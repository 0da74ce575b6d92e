"""What a submission's exception, or its standstill, looks like in its own lines."""

from __future__ import annotations

import linecache
import os
import sys
import traceback
from asyncio import all_tasks
from functools import cache
from types import FrameType

from ml_api_lab.host import internals, loops, own_modules
from ml_api_lab.host.patches import pipes
from ml_api_lab.protocol.messages import Problem, ProblemStage

_MAX_TEXT_LENGTH = 2000
_MAX_FRAMES = 10
"""How many frames of a long traceback are kept at either end."""


def describe(error: BaseException, folder: str, stage: ProblemStage, request: int = 0) -> Problem:
    """Return the exception with the frames that lie in the submission's folder."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    places: list[tuple[str, int | None, str]] = [
        (frame.f_code.co_filename, line, frame.f_code.co_name)
        for frame, line in traceback.walk_tb(error.__traceback__)
        if is_inside(frame.f_code.co_filename, folder)
    ]
    if isinstance(error, SyntaxError) and error.filename and is_inside(error.filename, folder):
        places.append((error.filename, error.lineno, ""))
    if len(places) > 2 * _MAX_FRAMES:  # a recursion
        places[_MAX_FRAMES:-_MAX_FRAMES] = []
    return Problem(
        stage=stage,
        request=request,
        type=type(error).__name__,
        text=_text(error, folder),
        frames=[_place(*place) for place in places],
    )


def waiting_places(folder: str) -> list[list[str]]:
    """Return the submission's innermost lines at which its tasks and threads stand."""
    stacks = [
        internals.awaited_frames(task.get_coro())
        for loop in loops.RUNNING
        for task in all_tasks(loop)
    ]
    for frame in sys._current_frames().values():
        stack = [each for each, _ in traceback.walk_stack(frame)][::-1]
        # A thread that runs a loop stands where the loop's tasks stand, unless one blocks it.
        runs = [i for i, each in enumerate(stack) if each.f_code.co_name == "run_forever"]
        stacks.append(stack[runs[-1] :] if runs else stack)
    places = (_innermost(stack, folder) for stack in stacks)
    return [list(place) for place in dict.fromkeys(tuple(place) for place in places if place)]


def reading_places(folder: str) -> list[list[str]]:
    """Return the names of threads that are in a read, each with the submission's innermost line."""
    frames = sys._current_frames()
    places = []
    for thread in pipes.reading_threads():
        if (frame := frames.get(thread.ident or 0)) is not None:
            stack = [each for each, _ in traceback.walk_stack(frame)][::-1]
            places.append([thread.name, *(_innermost(stack, folder) or [""] * 4)])
    return places


def _text(error: BaseException, folder: str) -> str:
    try:
        text = str(error.msg if isinstance(error, SyntaxError) else error)
    except Exception:  # a submission's own __str__
        text = ""
    known = own_modules.explain(error, folder)
    if isinstance(error, SyntaxError) and known:
        return known  # Python itself says what is wrong, and not where
    return "; ".join(filter(None, [text[:_MAX_TEXT_LENGTH], known]))


@cache
def is_inside(file: str, folder: str) -> bool:
    """Whether that file of code lies in the submission's folder."""
    # A name such as <string> is no path; it would count as one inside the working directory.
    below = os.path.realpath(file).startswith(os.path.realpath(folder) + os.sep)
    return below and not file.startswith("<")


def _place(file: str, line: int | None, function: str) -> list[str]:
    source = linecache.getline(file, line or 0).strip()
    return [os.path.realpath(file), str(line or 0), function, source]


def _innermost(frames: list[FrameType], folder: str) -> list[str] | None:
    own = [frame for frame in frames if is_inside(frame.f_code.co_filename, folder)]
    if not own:
        return None
    frame = own[-1]
    return _place(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name)
