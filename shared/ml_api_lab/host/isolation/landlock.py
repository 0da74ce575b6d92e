"""Landlock: a process gives up all files but those that it names, for itself and its children.

After the kernel's `Documentation/userspace-api/landlock.rst`. The interface has versions: the
second (Linux 5.19) knows of files that move between folders, the third (6.2) of truncating, the
fourth (6.7) of connections, the fifth (6.10) of commands to devices, the sixth (6.12) of signals
and abstract sockets. What a kernel's version lacks is the seccomp filter's, beside this module.
"""

from __future__ import annotations

import os
import stat
import struct
from collections.abc import Iterable
from typing import NamedTuple

from ml_api_lab.host.isolation import system

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
REMOVE_FILE, MAKE_REG = 1 << 5, 1 << 8
_REFER, _TRUNCATE, _IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
_FIRST_VERSION = (1 << 13) - 1
_OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | _TRUNCATE | _IOCTL_DEV
"""What can be allowed of a file that is no folder."""

READ = EXECUTE | READ_FILE | READ_DIR
USE = READ_FILE | WRITE_FILE | _TRUNCATE | _IOCTL_DEV
SHARE = READ_FILE | WRITE_FILE | _TRUNCATE | REMOVE_FILE | MAKE_REG
ALL = _FIRST_VERSION | _REFER | _TRUNCATE | _IOCTL_DEV

_CONNECT_TCP = 1 << 1
_ABSTRACT_SOCKETS, _SIGNALS = 1 << 0, 1 << 1

TRUNCATES, CONNECTS, SCOPES = 3, 4, 6
"""The versions from which on truncating, connecting, and signals are refused."""

_ASK_VERSION = 1
_PATH_BENEATH = 1
_NO_NEW_PRIVILEGES = 38


class Rule(NamedTuple):
    """What may be done in a place and below it, as the kernel takes it; the place is open."""

    place: int
    attributes: bytes


def version() -> int:
    """Return the version of the kernel's interface, 0 if it has none."""
    if not system.MACHINE:
        return 0
    try:
        return system.call("landlock_create_ruleset", None, 0, _ASK_VERSION)
    except OSError:
        return 0


def opened(allowed: Iterable[tuple[str, int]], abi: int) -> list[Rule]:
    """Open these places, and return a rule for each; those that are not there are passed over.

    Args:
        allowed: paths, each with what may be done there and below.
        abi: the version to use, at most the kernel's.
    """
    rules = []
    for path, access in allowed:
        try:
            place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue
        if not stat.S_ISDIR(os.fstat(place).st_mode):
            access &= _OF_FILES
        rules.append(Rule(place, struct.pack("=Qi", access & _handled(abi), place)))
    return rules


def restrict(rules: Iterable[Rule], abi: int) -> None:
    """Give up all files but those of the rules, for good; connections and signals to others too.

    The calling thread alone is restricted, so there should be no other. The places are closed.

    Raises:
        OSError: the kernel refused.
    """
    attributes = struct.pack("=Q", _handled(abi))
    if abi >= CONNECTS:
        attributes += struct.pack("=Q", _CONNECT_TCP)
    if abi >= SCOPES:
        attributes += struct.pack("=Q", _ABSTRACT_SOCKETS | _SIGNALS)
    ruleset = system.call("landlock_create_ruleset", attributes, len(attributes), 0)
    for place, rule in rules:
        system.call("landlock_add_rule", ruleset, _PATH_BENEATH, rule, 0)
        os.close(place)
    system.prctl(_NO_NEW_PRIVILEGES, 1)
    system.call("landlock_restrict_self", ruleset, 0)
    os.close(ruleset)


def _handled(abi: int) -> int:
    """Return all that is refused where no rule allows it."""
    handled = _FIRST_VERSION
    handled |= _REFER if abi >= 2 else 0
    handled |= _TRUNCATE if abi >= TRUNCATES else 0
    return handled | (_IOCTL_DEV if abi >= 5 else 0)
