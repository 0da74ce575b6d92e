"""Which programs need spares: those whose source speaks of starting other processes."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass

_STARTS = re.compile(rb"\bexec[lv]|subprocess|reload\b|workers\b|multiprocessing|ProcessPool")
_JOBS = re.compile(rb"n_jobs")
_SEARCHES = re.compile(rb"Search|CV\b|cross_val|Parallel|_curve|Voting|Stacking|Bagging")
"""What joblib does in several processes; a forest's jobs are threads."""

_WAITS = re.compile(rb"os\.wait|SIGCHLD|waitid|from os import[^\n]*\bwait")
"""Who waits for any child would see that there are some, and wait for them."""

_TELLS_TIME = re.compile(rb"\b(?:import|from) +time\b|datetime")
"""A worker that waits for a moment would do so for ever where the clock stands still."""

_MAX_SOURCE_BYTES = 1_000_000
_OF_JOBLIB = ("joblib.externals.loky.", "from joblib.externals.loky.")


@dataclass(frozen=True)
class Need:
    """What spares a program needs.

    Attributes:
        spares: how many; each costs a fork.
        serves: whether one may become `python` with these arguments.
    """

    spares: int
    serves: Callable[[list[str]], bool]


def for_server(folder: str) -> Need | None:
    """Return the spares that a program on the wall clock needs, None for none.

    A reloader starts a process that tidies up, and the server.
    """
    return Need(2, lambda arguments: True) if _speaks_of(folder, _STARTS) else None


def for_training(folder: str) -> Need | None:
    """Return the spares that a script in lab time needs, None for none.

    The clock stands still in them, as in whatever else the script forks. So they are for joblib
    alone, which starts a process that tidies up, and workers, and for no script that tells time;
    other programs are in real time.
    """
    if "joblib" not in sys.modules or _speaks_of(folder, _TELLS_TIME):
        return None
    if not _speaks_of(folder, _JOBS, _SEARCHES):
        return None
    return Need(3, lambda arguments: any(each.startswith(_OF_JOBLIB) for each in arguments[:2]))


def _speaks_of(folder: str, *words: re.Pattern[bytes]) -> bool:
    source = _source(folder)
    return all(each.search(source) for each in words) and not _WAITS.search(source)


def _source(folder: str) -> bytes:
    """Return all modules that lie in a folder, one after the other."""
    found = b""
    try:
        for entry in os.scandir(folder):
            if entry.name.endswith(".py") and entry.is_file():
                with open(entry.path, "rb") as file:
                    found += file.read(_MAX_SOURCE_BYTES) + b"\n"
    except OSError:  # the program will say what is wrong
        pass
    return found
