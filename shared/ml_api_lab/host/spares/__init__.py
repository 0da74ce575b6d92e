"""The fresh interpreters that a program starts, as forks from before its first line (Linux).

A program that starts Python anew (a reloader, uvicorn as a command of its own, a search in several
processes) has it import FastAPI or scikit-learn once more, which takes longer than all else that a
check does. So a program whose source speaks of such things is given spares: children of its own,
forked before it runs, that wait to become ``python ...``. For `subprocess`, `multiprocessing` and
joblib such a child is like any other: its parent, group, session, descriptors, environment, signals
and exit status are what they would be, and its command line is told.

`os.exec*` gives a process another memory, which no fork can do. There a spare takes the process's
place, in its group and session, and the fork server follows it by what is noted in `Successor`. It
has a number of its own, and leads neither of them.

What a program could see, if it looked: modules that it did not import, children that wait, and of
its own limits and priority those that it began with.

What a fork cannot stand in for, and what comes when the spares are used up, is started as ever. A
source without the words that are looked for costs time, and nothing else.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Sequence
from typing import Protocol

from ml_api_lab.host.spares import waiting
from ml_api_lab.host.spares.asked import Asked
from ml_api_lab.host.spares.need import Need
from ml_api_lab.host.spares.starting import Spare, Starter
from ml_api_lab.host.spares.successor import Successor

_FIRST_DESCRIPTOR = 100
"""Far from the numbers that a program sees of its own: they are as they would be."""


class Closeable(Protocol):
    """What a spare has no business with."""

    def close(self) -> None:
        """Close it."""


def keep(need: Need | None, successor: Successor, closes: Sequence[Closeable]) -> Asked | None:
    """Fork spares, and let this process start them in place of fresh interpreters.

    Returns in each spare as well, but only when it is to become something.

    Args:
        need: how many, and what they may become; None for none.
        successor: is told who takes the place of this process.
        closes: what spares close.

    Returns:
        None in this process; in a spare, what it is to become.
    """
    if need is None or sys.platform != "linux":
        return None
    spares: list[Spare] = []
    parent = os.getpid()
    for _ in range(need.spares):
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            for each in (*(spare.connection for spare in spares), ours, *closes):
                each.close()
            return waiting.wait(theirs, parent)
        theirs.close()
        spares.append(Spare(pid, _out_of_the_way(ours)))
    Starter(spares, need, successor).install()
    return None


def _out_of_the_way(connection: socket.socket) -> socket.socket:
    """Return the same connection with a number that the program's own files do not come to."""
    import fcntl  # not there on Windows

    with connection:
        number = fcntl.fcntl(connection.fileno(), fcntl.F_DUPFD_CLOEXEC, _FIRST_DESCRIPTOR)
        return socket.socket(fileno=number)
