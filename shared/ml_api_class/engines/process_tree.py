"""A worker's processes: what they use together, and how they are all ended."""

from __future__ import annotations

import ctypes
import os
import sys
import time

import psutil

_PR_SET_CHILD_SUBREAPER = 36
_ROUNDS = 50
_ROUND_SECONDS = 0.02


def adopt_orphans() -> None:
    """Become the parent of what this process's children leave behind (Linux alone can)."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def children(pid: int, *, recursive: bool = False) -> list[psutil.Process]:
    """Return the processes that a process has started; none if it is gone."""
    try:
        found: list[psutil.Process] = psutil.Process(pid).children(recursive=recursive)
    except psutil.Error:
        return []
    return found


def memory(pid: int) -> int:
    """Return the memory that a process and all below it have for themselves, in bytes."""
    total = 0
    try:
        processes = [psutil.Process(pid), *children(pid, recursive=True)]
    except psutil.Error:
        return 0
    for process in processes:
        try:
            used = process.memory_info()
        except psutil.Error:
            continue
        total += used.rss - getattr(used, "shared", 0)
    return total


def kill_below(pid: int) -> None:
    """Kill all that a process has started, itself left alone."""
    for _ in range(_ROUNDS):
        found = [each for each in children(pid, recursive=True) if _is_running(each)]
        if not found:
            return
        for process in found:
            _kill(process)
        time.sleep(_ROUND_SECONDS)


def kill(pid: int) -> None:
    """Kill a process and all below it."""
    below = children(pid, recursive=True)
    try:
        _kill(psutil.Process(pid))
    except psutil.Error:
        pass
    for process in below:
        _kill(process)


def end_orphans(known: set[int]) -> None:
    """Kill the children of this process that are not known: an ended worker left them.

    Args:
        known: the numbers of all children that are to stay.
    """
    for _ in range(_ROUNDS):
        found = [each for each in children(os.getpid()) if each.pid not in known]
        if not found:
            return
        for process in found:
            for below in children(process.pid, recursive=True):
                _kill(below)
            _kill(process)
            _collect(process.pid)
        time.sleep(_ROUND_SECONDS)


def _is_running(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def _kill(process: psutil.Process) -> None:
    try:
        process.kill()
    except psutil.Error:  # it is gone
        pass


def _collect(pid: int) -> None:
    try:
        os.waitpid(pid, os.WNOHANG)
    except OSError:  # it is no child of ours any more
        pass
