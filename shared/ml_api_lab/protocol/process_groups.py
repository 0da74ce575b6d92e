"""Groups of processes (POSIX): whether anything that a process has started still runs."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable

_MAX_COMMAND_BYTES = 1_000
"""How much of a command line is read."""

_AT_WORK = {"R", "D"}
"""The states of a process that computes, or waits for a processor or the disk."""

_ENDED = {"Z", "X", ""}
"""The states of a process that has ended: nobody has collected it yet, or it has gone."""


def has_members(group: int) -> bool:
    """Whether a process of that group still runs."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # macOS says so of a group of zombies
        return False
    return not _are_all_zombies(group)


def _are_all_zombies(group: int) -> bool:
    """Whether all of a group have ended (Linux): in a container nobody may collect orphans."""
    members = _members(group)
    return bool(members) and all(_state(pid) in _ENDED for pid in members)


def running_members(group: int) -> list[int]:
    """Return the processes of that group that still run (Linux; elsewhere none is known)."""
    return [pid for pid in _members(group) if _state(pid) not in _ENDED]


def are_at_work(processes: Iterable[int]) -> bool:
    """Whether one of them computes now, or waits for a processor or the disk (Linux)."""
    return any(_state(pid) in _AT_WORK for pid in processes)


def command_line(pid: int) -> str:
    """Return the command line of a process, "" if the system tells none (Linux does)."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            words = file.read(_MAX_COMMAND_BYTES).rstrip(b"\0").split(b"\0")
    except OSError:  # it has gone meanwhile, or the system has no such file
        return ""
    return command_text([word.decode(errors="replace") for word in words])


def command_text(words: list[str]) -> str:
    """Return a command as a shell reads it, its program without the folder; "" for no words."""
    return shlex.join([os.path.basename(words[0]), *words[1:]]) if words and words[0] else ""


def _members(group: int) -> list[int]:
    """Return the processes of a group, those that have ended too (Linux).

    To ask whose group each is costs a small part of reading its state.
    """
    found = []
    for name in os.listdir("/proc") if os.path.isdir("/proc/self") else ():
        try:
            if os.getpgid(pid := int(name)) == group:
                found.append(pid)
        except (OSError, ValueError):  # it has gone meanwhile; or that is no process
            continue
    return found


def _state(pid: int) -> str:
    """Return the letter of a process's state, "" if it has gone or the system tells none."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as status:
            # After the command in brackets.
            return status.read().rpartition(b") ")[2][:1].decode()
    except OSError:
        return ""
