"""What became of a submission, in sentences: what it is at, how it ended, why it is late."""

from __future__ import annotations

import os
import re
import select
import signal
import stat
import time

from ml_api_lab.protocol.link import BadFrame, Link, LinkClosed
from ml_api_lab.protocol.messages import Start, Waiting, Where
from ml_api_lab.sandbox.hosts.host_pool import HostPool
from ml_api_lab.sandbox.transcript import Frame, Transcript

_MAX_TRACE_BYTES = 64 * 1024
_TRACE_TIMEOUT_SECONDS = 1.0
"""How long a process may take to write where it is: on a busy machine it waits for its turn."""

_ANSWER_SECONDS = 0.5
"""How long a late process may take to say which of its threads are in a read."""

_POLL_SECONDS = 0.02


def subject(start: Start, pending: str, *, is_ready: bool, is_stopping: bool) -> str:
    """Return what a submission is at, as the subject of a sentence.

    Args:
        pending: the first request that it has not answered; "" if there is none.
    """
    if pending:
        return f"The application, asked for {pending},"
    if start.mode in ("run", "evaluate"):
        return f"The script {start.file}"
    if not is_ready:
        return f"Importing or starting {start.file}"
    if is_stopping:
        return "The application, told to shut down,"
    return "The application, at work behind its answers,"


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


def where_it_is(hosts: HostPool, pid: int, start: Start, transcript: Transcript) -> Frame | None:
    """Ask a busy host where it is, by a signal that needs none of its help (POSIX)."""
    if not hasattr(signal, "SIGUSR1"):
        return None
    hosts.signal(pid, signal.SIGUSR1, to_group=False)
    folder = re.escape(os.path.realpath(start.folder))
    line = re.compile(rf'File "({folder}/[^"\n]+)", line (\d+) in (\S+)\n')
    give_up = time.monotonic() + _TRACE_TIMEOUT_SECONDS
    while (found := line.search(_read_trace(start.output + ".where"))) is None:
        if time.monotonic() > give_up:
            return None
        time.sleep(_POLL_SECONDS)
    return next(iter(transcript.places([[found[1], found[2], found[3], ""]])), None)


def of_a_busy_process(where: Frame | None, *, in_lab_time: bool) -> str:
    """Return why a process may be late, to go on with behind what was said of it."""
    place = f" (it was at {where})" if where is not None else ""
    no_time = " (for which no lab time passes)" if in_lab_time else ""
    outside = " outside the lab" if in_lab_time else ""
    return f"{place}: it computes without end{no_time}, or waits for something{outside}"


def of_a_failed_start(stage: str, file: str, headline: str, where: str) -> str:
    """Return why an application that raised is not there, at the import or at its startup."""
    imported = f"Importing {file} failed"
    what = imported if stage == "import" else "The application did not start"
    return f"{what}: {headline}{where}."


def of_a_missing_lifespan(headline: str, where: str) -> str:
    """Return the note about an application whose lifespan raised, and that goes on without it."""
    return (
        "!! The application goes on without its lifespan, as under uvicorn, because it "
        f"raised {headline} when the lifespan was to begin{where}."
    )


def untimed_read(link: Link, transcript: Transcript) -> str:
    """Ask a late process which of its threads lab time waits for; "" if it does not say."""
    try:
        link.send(Where())
        give_up = time.monotonic() + _ANSWER_SECONDS
        while (left := give_up - time.monotonic()) > 0:
            while (message := link.next_message()) is not None:
                if isinstance(message, Waiting):
                    return _thread_in_a_read(message, transcript)
            if select.select([link], [], [], left)[0]:
                link.read_more()
    except (LinkClosed, BadFrame):
        pass  # it is about to be ended anyway
    return ""


def _thread_in_a_read(waiting: Waiting, transcript: Transcript) -> str:
    """Return which thread lab time waits for, since it is in a read; "" if none is."""
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
