"""What became of a submission's process: how it ended, or where it is while it does not answer."""

from __future__ import annotations

import os
import re
import signal
import stat
import time
from collections.abc import Callable

from ml_api_lab.protocol.messages import Start, Waiting
from ml_api_lab.sandbox.transcript import Frame, Transcript

_MAX_TRACE_BYTES = 64 * 1024
_TRACE_TIMEOUT_SECONDS = 1.0
"""How long a process may take to write where it is: on a busy machine it waits for its turn."""

_POLL_SECONDS = 0.02


def how_it_ended(status: int | None) -> str:
    """Return how a process ended by itself, to go on with after its name in a sentence.

    Args:
        status: its exit status, negative for a signal; None if it still runs.
    """
    if status is None:
        return "closed its connection to the checks"
    if status >= 0:
        return f"ended its own process with exit status {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    return f"was ended by {name}"


def where_it_is(send: Callable[[int], None], start: Start, transcript: Transcript) -> Frame | None:
    """Ask a busy process where it is, by a signal that needs none of its help (POSIX).

    Args:
        send: sends it a signal of that number.
    """
    if not hasattr(signal, "SIGUSR1"):
        return None
    send(signal.SIGUSR1)
    folder = re.escape(os.path.realpath(start.folder))
    line = re.compile(rf'File "({folder}/[^"\n]+)", line (\d+) in (\S+)\n')
    give_up = time.monotonic() + _TRACE_TIMEOUT_SECONDS
    while (found := line.search(_read_trace(start.output + ".where"))) is None:
        if time.monotonic() > give_up:
            return None
        time.sleep(_POLL_SECONDS)
    return next(iter(transcript.places([[found[1], found[2], found[3], ""]])), None)


def untimed_read(waiting: Waiting, transcript: Transcript) -> str:
    """Return which thread lab time waits for, since it is in a read; "" if none is.

    Args:
        waiting: what the submission's process says of its threads.
    """
    for name, *place in waiting.reads:
        frames = transcript.places([place])
        thread = f"its thread {name!r}" + (f" (at {frames[0]})" if frames else "")
        if waiting.knows_reads:
            return (
                f"{thread} waits in a read, and whether the answer comes from outside the lab "
                "cannot be known, so no lab time passes"
            )
        return (
            f"no lab time passes while {thread} computes or waits in a read, and this system does "
            "not say which of the two it does"
        )
    return ""


def _read_trace(path: str) -> str:
    """Return how a file begins that a submission may have replaced by anything."""
    try:
        number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError:
        return ""
    with open(number, "rb") as file:
        is_file = stat.S_ISREG(os.fstat(number).st_mode)
        return file.read(_MAX_TRACE_BYTES).decode(errors="replace") if is_file else ""
