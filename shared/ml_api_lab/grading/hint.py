"""The hint on a card: the check's own, or one that fits how the submission failed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ml_api_lab.course.catalog import Check
from ml_api_lab.errors import RAISED, Hinted, Late, NotThere, StartFailed, Stopped
from ml_api_lab.sandbox.transcript import Transcript

NEVER_AWAITED = re.compile(r"coroutine '([\w.<>]+)' was never awaited")

NOT_WRITTEN = "This line is the placeholder of a part that you have not written yet."
_LATE = "Look at that line: what would end its loop, or whom does it wait for?"
_DEBUGGER = "`breakpoint()` stops only where it has a terminal: run pytest with -s, or remove it."
_MOVED = "How far is each line moved to the right? What belongs together begins in one column."
_IMPORTED = "Is the module's name right, and is its package installed where the lab runs?"
_OF_TYPES = {
    "SyntaxError": "Python cannot read this line: look at its quotes and brackets, and at the end "
    "of the line above it.",
    "IndentationError": _MOVED,
    "TabError": _MOVED,
    "NameError": "Is this name spelt as where it is made, and is it made before this line runs?",
    "AttributeError": "Is the name behind the dot spelt as in the documentation of what stands "
    "before the dot, and is that what you think it is?",
    "ImportError": _IMPORTED,
    "ModuleNotFoundError": _IMPORTED,
    "KeyError": "Which keys are there, and what is to happen where this one is missing?",
}
"""What to ask of an exception in the submission that ended it; of all others, where it began."""


def hint_of(check: Check, error: BaseException | None, transcript: Transcript | None = None) -> str:
    """Return the hint for a check that failed so, "" if none would help."""
    raised = transcript.raised if transcript is not None else []
    stopped = isinstance(error, StartFailed | Stopped)
    unawaited = "" if stopped else never_awaited(transcript)
    # Whatever a check has seen of a coroutine that never ran: that is why.
    if isinstance(error, Hinted) and error.hint != RAISED and not unawaited:
        return error.hint
    if isinstance(error, Late):
        return _LATE if error.place else ""
    # Nothing was raised where there is no application: the sentence says what is missing.
    is_told = isinstance(error, StartFailed) and (error.is_slip or not error.kind)
    if isinstance(error, NotThere) or is_told:
        return ""
    if raised and raised[-1].type == "NotImplementedError":
        return NOT_WRITTEN
    if raised and raised[-1].text.startswith("breakpoint() needs the terminal"):
        return _DEBUGGER
    if unawaited:
        return (
            f"{unawaited}(...) alone only makes a coroutine, which does not run. What runs one: "
            "inside an async def, and outside of any?"
        )
    if isinstance(error, Stopped | Hinted):
        named = [raised[-1].type] if raised else _printed_names(transcript)
        return next((_OF_TYPES[name] for name in named if name in _OF_TYPES), RAISED)
    return check.hint


def never_awaited(transcript: Transcript | None) -> str:
    """Return the first coroutine of which Python says that nobody has awaited it, "" if none."""
    for line in transcript.lines if transcript is not None else ():
        if found := NEVER_AWAITED.search(line.text):
            return found[1].rpartition(".")[2]
    return ""


def _printed_names(transcript: Transcript | None) -> Iterator[str]:
    """Yield the words with which what was printed begins, the last line's first.

    A program of its own prints its exceptions, and none is sent to the checks.
    """
    for line in reversed(transcript.lines if transcript is not None else []):
        yield line.text.partition(":")[0]
