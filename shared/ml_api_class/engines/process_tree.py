"""A worker's processes: what they use together, and how they are all ended.

Read from /proc on Linux, and from `ps` on other systems of its kind. The library for this, psutil,
is left out on purpose: where it is installed, joblib uses it in a submission as well, and a
confined process may not read what it asks for.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36
_ROUNDS = 100
_ROUND_SECONDS = 0.02
_PROC = Path("/proc")
_ENDED = ("Z", "X")
_START_TIME = 19
"""Which field of /proc/PID/stat, counted from the state, says when a process began."""


def adopt_orphans() -> None:
    """Become the parent of what this process's children leave behind (Linux alone can)."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def children(pid: int, *, recursive: bool = False) -> list[int]:
    """Return the processes that a process has started, also those that nobody has waited for."""
    below: dict[int, list[int]] = defaultdict(list)
    for child, parent in _parents().items():
        below[parent].append(child)
    found = list(below[pid])
    if recursive:
        for each in found:  # it grows meanwhile
            found += below[each]
    return found


def began(pid: int) -> str | None:
    """Return when a process began, in whatever unit; None if it has ended."""
    if sys.platform == "linux":
        fields = _fields(pid)
        return None if fields is None or fields[0] in _ENDED else fields[_START_TIME]
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except OSError:
        pass
    return "0"


def memory(pid: int) -> int:
    """Return the memory that a process and all below it have for themselves, in bytes.

    Returns:
        0 where the system does not tell.
    """
    total = 0
    for each in (pid, *children(pid, recursive=True)):
        try:
            _, resident, shared, *_ = (_PROC / str(each) / "statm").read_text().split()
        except (OSError, ValueError):
            continue
        total += (int(resident) - int(shared)) * os.sysconf("SC_PAGE_SIZE")
    return total


def kill_below(pid: int) -> None:
    """Kill all that a process has started, itself left alone."""
    for _ in range(_ROUNDS):
        found = [each for each in children(pid, recursive=True) if began(each) is not None]
        if not found:
            return
        for each in found:
            _kill(each)
        time.sleep(_ROUND_SECONDS)


def kill(pid: int) -> None:
    """Kill a process and all below it."""
    if os.name == "nt":
        subprocess.run(["taskkill", "/F", "/T", "/PID", str(pid)], capture_output=True, check=False)
        return
    for each in (*children(pid, recursive=True), pid):
        _kill(each)


def end_orphans(known: set[int]) -> None:
    """Kill the children of this process that are not known: an ended worker left them.

    Args:
        known: the numbers of all children that are to stay.
    """
    for _ in range(_ROUNDS):
        found = [each for each in children(os.getpid()) if each not in known]
        if not found:
            return
        for each in found:
            kill(each)
            _collect(each)
        time.sleep(_ROUND_SECONDS)


def _parents() -> dict[int, int]:
    """Return the parent of each process."""
    if sys.platform == "linux":
        found = {}
        for entry in os.listdir(_PROC):
            if entry.isdecimal() and (fields := _fields(int(entry))) is not None:
                found[int(entry)] = int(fields[1])
        return found
    if os.name == "nt":
        return {}
    done = subprocess.run(["ps", "-axo", "pid=,ppid="], capture_output=True, text=True, check=False)
    return {int(pid): int(parent) for pid, parent in map(str.split, done.stdout.splitlines())}


def _fields(pid: int) -> list[str] | None:
    """Return what /proc says of a process, from its state on."""
    try:
        text = (_PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return None
    return text.rpartition(")")[2].split()


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except OSError:  # it is gone
        pass


def _collect(pid: int) -> None:
    try:
        os.waitpid(pid, os.WNOHANG)
    except OSError:  # it is no child of ours, or gone
        pass
