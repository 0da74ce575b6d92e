"""Groups of processes (POSIX): whether anything that a process has started still runs."""

from __future__ import annotations

import os
from pathlib import Path


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
    states = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            # After the command in brackets: the state, the parent, the group.
            state, _, its_group = status.read_text().rpartition(") ")[2].split()[:3]
        except (OSError, ValueError):  # it has gone meanwhile
            continue
        if int(its_group) == group:
            states.append(state)
    return bool(states) and set(states) <= {"Z", "X"}
