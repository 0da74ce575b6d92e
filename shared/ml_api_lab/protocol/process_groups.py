"""Groups of processes (POSIX): whether anything that a process has started still runs."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator

_MAX_COMMAND_BYTES = 1_000
"""How much of a command line is read."""

_RUNNABLE = "R"
_ENDED = {"Z", "X"}
"""The states of a process that has ended and that nobody has collected yet."""


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
    states = {state for _, state in _states(group)}
    return bool(states) and states <= _ENDED


def running_members(group: int) -> list[int]:
    """Return the processes of that group that still run (Linux; elsewhere none is known)."""
    return [pid for pid, state in _states(group) if state not in _ENDED]


def is_at_work(group: int) -> bool:
    """Whether a process of that group computes now, or waits for a processor (Linux)."""
    return any(state == _RUNNABLE for _, state in _states(group))


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


def _states(group: int) -> Iterator[tuple[int, str]]:
    """Yield each process of a group, with the letter of its state (Linux)."""
    if not os.path.isdir("/proc/self"):
        return
    for name in os.listdir("/proc"):
        try:
            # Asked first, since there are many processes, and to read a file costs ten times as
            # much. What is no number raises ValueError.
            if os.getpgid(pid := int(name)) != group:
                continue
            with open(f"/proc/{name}/stat", "rb") as status:
                # After the command in brackets.
                yield pid, status.read().rpartition(b") ")[2][:1].decode()
        except (OSError, ValueError):  # it has gone meanwhile
            continue
