"""What a submission may not do, made so by the kernel before any of its code runs (Linux).

In this order, since each step takes away what the ones before need: namespaces (in the fork server,
and a view of files of each host's own), limits, capabilities, Landlock, the filter of calls.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from typing import Any, NoReturn

from ml_api_lab.host.isolation import (
    allowed_paths,
    landlock,
    namespaces,
    seccomp,
    system,
    without_psutil,
)
from ml_api_lab.protocol.confinement import Confinement
from ml_api_lab.protocol.messages import ClockName

_MAX_FILE_BYTES = 256 * 2**20
_MAX_OPEN_FILES = 4096

_PR_CAPBSET_DROP, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL = 24, 47, 4
_CAPABILITY_VERSION = 0x20080522
_MAX_CAPABILITIES = 64

_elders: frozenset[int] = frozenset()
"""The processes that began before the first host, and that none may signal."""

_abi = 0
"""The version of Landlock's interface that is in use."""

_rules: list[landlock.Rule] = []
"""What all hosts may use, made ready once: each host would need a while for that."""

_shows_children = False
"""Whether /proc shows a host the processes that it starts, and shows them themselves."""

REFUSED = "the lab lets a submission connect to nothing"


def prepare(confinement: Confinement, clock: ClockName, *, serves_forks: bool) -> None:
    """Do what can be done once, at the beginning, for all hosts that will be forked.

    Args:
        clock: that of the hosts. Those in lab time get a network of their own. Those on the wall
            clock are servers that the checks connect to, and share the machine's.
        serves_forks: whether this is a fork server, and no host itself.

    Raises:
        OSError: the kernel refused.
    """
    global _abi, _elders, _rules, _shows_children
    if confinement.tier == "none":
        return
    _elders = _around()
    if confinement.tier == "namespace" and serves_forks:
        _shows_children = namespaces.enter(with_network=clock == "lab")
    if not _shows_children:
        without_psutil.install()
    _limit_resources()
    _forget_capabilities()
    # Found out and made once, for all hosts. In a namespace each has a view of files of its own.
    common = list(allowed_paths.allowed_to_all(confinement.course))
    _abi = min(landlock.version(), confinement.landlock_abi)
    _rules = landlock.opened(common, _abi) if confinement.tier == "landlock" else []
    if system.MACHINE:
        seccomp.template(system.MACHINE, _elders, _abi)


def confine(confinement: Confinement, workspace: str) -> None:
    """Confine this process, and all that it will start, to a workspace, for good.

    Args:
        workspace: the folder that it may write to.

    Raises:
        OSError: the kernel refused a part of it.
    """
    _be_ended_first_without_memory()
    if confinement.tier == "none":
        return
    allowed = list(allowed_paths.allowed_to_one(workspace))
    if confinement.tier == "namespace":
        allowed += allowed_paths.allowed_to_all(confinement.course)
        writable = landlock.WRITE_FILE
        namespaces.hide_temporary_files((path, bool(may & writable)) for path, may in allowed)
        allowed += [(place, landlock.ALL) for place in namespaces.TEMPORARY]
    if _shows_children:
        allowed.append(("/proc", landlock.READ))
    _drop_capabilities()
    landlock.restrict([*landlock.opened(allowed, _abi), *_rules], _abi)
    seccomp.install(os.getpid(), _elders, _abi)
    socket.socket.connect = _refuse_to_connect  # type: ignore[method-assign,assignment]


def _be_ended_first_without_memory() -> None:
    """Have the kernel end this process, and what it starts, before any other for lack of memory.

    How much memory it takes is not limited: who uses up the machine's shall not take the checks
    with it.
    """
    try:
        place = os.open("/proc/self/oom_score_adj", os.O_WRONLY)
        os.write(place, b"1000")
        os.close(place)
    except OSError:  # no Linux, or a kernel without it
        pass


def _around() -> frozenset[int]:
    """Return this process, its parent, and the parent's group, if they have numbers here."""
    parent = os.getppid()
    try:
        group = os.getpgid(parent)
    except OSError:
        group = 0
    return frozenset({os.getpid(), parent, group} - {0})


def _limit_resources() -> None:
    """Limit what one process could use up.

    The space of addresses is not limited: NumPy reserves more of it than it uses. Nor is the number
    of processes: the kernel counts all of the user's, whoever started them.
    """
    import resource  # not there on Windows

    for kind, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, _MAX_FILE_BYTES),
        (resource.RLIMIT_NOFILE, _MAX_OPEN_FILES),
    ):
        _, hard = resource.getrlimit(kind)
        limit = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (limit, limit))


def _forget_capabilities() -> None:
    """See to it that no program which is started from now on has what distinguishes root."""
    system.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)
    for number in range(_MAX_CAPABILITIES):
        try:
            system.prctl(_PR_CAPBSET_DROP, number)
        except OSError as error:
            if error.errno == errno.EINVAL:  # there are no more
                break
            if error.errno != errno.EPERM:  # an ordinary user has none to give up
                raise


def _drop_capabilities() -> None:
    """Give up what distinguishes root from other users."""
    system.call("capset", struct.pack("=Ii", _CAPABILITY_VERSION, 0), bytes(24))


def _refuse_to_connect(self: socket.socket, address: Any) -> NoReturn:
    # The filter refuses as well; this says why.
    raise PermissionError(errno.EACCES, REFUSED)
