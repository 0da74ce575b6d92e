"""Namespaces: processes that see no others, a network without neighbours, files of their own.

The fork server enters most of them once, and is the first process there: when it ends, the kernel
ends all that lives in them. Each host then has its own view of files, in which the places for
temporary files are empty, small, and gone with the host.
"""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import struct
from collections.abc import Iterable, Iterator

from ml_api_lab.host.isolation import system

_NEW_MOUNTS, _NEW_IPC, _NEW_USER = 0x00020000, 0x08000000, 0x10000000
_NEW_PIDS, _NEW_NETWORK = 0x20000000, 0x40000000

_NO_SETUID, _NO_DEVICES, _NO_PROGRAMS = 2, 4, 8
_BIND, _WITH_ALL_BELOW, _FOLLOWS_OUTSIDE = 4096, 16384, 1 << 19

TEMPORARY = ("/tmp", "/var/tmp", "/dev/shm")
_TEMPORARY_SIZE = "64m"
_MAX_PROCESSES = 1024

_PR_SET_PDEATHSIG = 1
_GET_FLAGS, _SET_FLAGS, _IS_UP = 0x8913, 0x8914, 1


def enter(*, with_network: bool) -> bool:
    """Go on in new namespaces, as the first process there; the old process waits for its end.

    To be called before there are threads, or anything that two processes should not both have.

    Args:
        with_network: whether the network is a new one as well, in which nobody else is.

    Returns:
        Whether /proc shows a confined process no others but those that it has started.

    Raises:
        OSError: the kernel refused.
    """
    user, group = os.geteuid(), os.getegid()
    system.unshare(
        _NEW_USER | _NEW_PIDS | _NEW_IPC | _NEW_MOUNTS | (_NEW_NETWORK if with_network else 0)
    )
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"{user} {user} 1")
    _write("/proc/self/gid_map", f"{group} {group} 1")
    child = os.fork()
    if child:
        _end_with(child)
    system.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    system.mount("none", "/", "", _WITH_ALL_BELOW | _FOLLOWS_OUTSIDE)
    hides_others = _mount_processes()
    _limit_processes()
    if with_network:
        _start_loopback()
    return hides_others


def _mount_processes() -> bool:
    """Mount these namespaces' own /proc; return whether it hides the processes of others."""
    flags = _NO_SETUID | _NO_DEVICES | _NO_PROGRAMS
    try:
        # Landlock lets a process trace itself and what it has started, so those are all it sees.
        system.mount("proc", "/proc", "proc", flags, "hidepid=ptraceable")
    except OSError:  # before Linux 5.8
        system.mount("proc", "/proc", "proc", flags)
        return False
    return True


def _end_with(child: int) -> None:
    """Wait for a process and end as it did."""
    # The control link is the child's alone; what ends this process ends the child too.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _, status = os.waitpid(child, 0)
    os._exit(os.waitstatus_to_exitcode(status) & 0xFF)


def hide_temporary_files(kept: Iterable[tuple[str, bool]]) -> None:
    """Let this process see small and empty places for temporary files, with its own ones in them.

    Args:
        kept: what is still to be seen, wherever it lies, and whether it may be written to. The
            folders above it are new ones in which nothing can be listed or made.

    Raises:
        OSError: the kernel refused.
    """
    system.unshare(_NEW_MOUNTS)
    places = [place for place in TEMPORARY if os.path.isdir(place)]
    opened: list[tuple[str, bool, int]] = []
    for path, is_writable in sorted(set(kept)):
        if any(path.startswith(f"{place}/") for place in places) and os.path.exists(path):
            opened.append((path, is_writable, os.open(path, os.O_PATH | os.O_CLOEXEC)))
    for place in places:
        options = f"mode=1777,size={_TEMPORARY_SIZE},nr_inodes=10k"
        system.mount("none", place, "tmpfs", _NO_SETUID | _NO_DEVICES, options)
    made: set[str] = set()
    for path, is_writable, descriptor in opened:
        source = f"/proc/self/fd/{descriptor}"
        if not os.path.exists(path):  # a part of what was shown already is there
            folder = os.path.dirname(path)
            os.makedirs(folder, exist_ok=True)
            made.update(_folders_above(path, places))
            if os.path.isdir(source):
                os.mkdir(path)
            else:
                os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
            system.mount(source, path, "", _BIND | _WITH_ALL_BELOW)
            if not is_writable:
                system.make_read_only(path)
        os.close(descriptor)
    for folder in made:
        os.chmod(folder, 0o111)


def _folders_above(path: str, places: Iterable[str]) -> Iterator[str]:
    """Yield the folders between a path and the place that it lies in."""
    folder = os.path.dirname(path)
    while folder not in places:
        yield folder
        folder = os.path.dirname(folder)


def _limit_processes() -> None:
    """Limit how many processes there can be at a time, by what this kernel has for that."""
    import resource

    # Counted in this user namespace alone since Linux 5.14, and never for root.
    limit = (_MAX_PROCESSES, _MAX_PROCESSES)
    _, hard = resource.getrlimit(resource.RLIMIT_NPROC)
    if hard == resource.RLIM_INFINITY or hard > _MAX_PROCESSES:
        resource.setrlimit(resource.RLIMIT_NPROC, limit)
    try:
        _write("/proc/sys/kernel/pid_max", str(_MAX_PROCESSES))  # a namespace's own since 6.14
    except OSError:
        pass


def _start_loopback() -> None:
    """Bring the network up of which this machine's own addresses are all."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = bytearray(struct.pack("16sH22x", b"lo", 0))
        fcntl.ioctl(any_socket, _GET_FLAGS, request)
        (flags,) = struct.unpack_from("H", request, 16)
        struct.pack_into("H", request, 16, flags | _IS_UP)
        fcntl.ioctl(any_socket, _SET_FLAGS, request)


def _write(path: str, text: str) -> None:
    with open(path, "w") as file:
        file.write(text)
