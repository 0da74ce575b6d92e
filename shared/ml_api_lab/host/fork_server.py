"""The fork server: imports once, then forks a host whenever it is asked.

It keeps to a single thread, so that forking is safe, and it is the ancestor of everything that a
submission starts: on Linux, orphans are handed to it, so that none is left behind.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from ml_api_lab.protocol.link import Link, LinkClosed
from ml_api_lab.protocol.messages import Ended, Fork, Kill

_PR_SET_CHILD_SUBREAPER = 36
_MAX_SWEEPS = 1000

OrphanOwners = dict[int, set[int]]
"""Orphans, each with the living hosts that may have started it."""


def serve(link: Link, host: Callable[[str], int]) -> None:
    """Serve until the checks' side is gone. `host(token)` is a forked process's whole life."""
    children: set[int] = set()
    owners_of_orphans: OrphanOwners = {}
    _become_subreaper()
    wake, woken = socket.socketpair()
    woken.setblocking(False)
    wake.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    signal.set_wakeup_fd(woken.fileno(), warn_on_full_buffer=False)
    try:
        while True:
            while (message := link.next_message()) is not None:
                match message:
                    case Fork():
                        pid = os.fork()
                        if pid == 0:
                            signal.set_wakeup_fd(-1)
                            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                            for each in (wake, woken, link):
                                each.close()
                            _run_child(host, message.token)
                        children.add(pid)
                    case Kill() if message.pid in children:
                        # Alone as well: it may not have become a group yet.
                        _kill_if_alive(os.killpg, message.pid)
                        _kill_if_alive(os.kill, message.pid)
            readable, _, _ = select.select([link.fileno(), wake.fileno()], [], [])
            if wake.fileno() in readable:
                wake.recv(4096)
                _reap(children, owners_of_orphans, link)
            if link.fileno() in readable:
                link.read_more()
    except LinkClosed:
        pass
    finally:
        for pid in children:
            _kill_if_alive(os.killpg, pid)
        _kill_orphans(set(), {}, 0)


def _run_child(host: Callable[[str], int], token: str) -> NoReturn:
    status = 1
    try:
        # A session of its own: one signal reaches all that the submission starts.
        os.setsid()
        status = host(token)
    finally:
        os._exit(status & 0xFF)


def _reap(children: set[int], owners_of_orphans: OrphanOwners, link: Link) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        if pid in children:
            children.discard(pid)
            _kill_if_alive(os.killpg, pid)
            _kill_orphans(children, owners_of_orphans, pid)
            link.send(Ended(pid, os.waitstatus_to_exitcode(status)))


def _kill_if_alive(how: Callable[[int, int], None], pid: int) -> None:
    try:
        how(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass


def _become_subreaper() -> None:
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _kill_orphans(children: set[int], owners_of_orphans: OrphanOwners, ended: int) -> None:
    """End the orphans that no living host can have started, now that this one has ended.

    An orphan is a child of this process that it has not forked. Its session says whose it is, but
    for a session that a host's helper has begun: then it may be of any host that lived when it was
    first seen, and stays until all of those have ended.
    """
    for _ in range(_MAX_SWEEPS):
        orphans = _orphans(children)
        for pid in owners_of_orphans.keys() - orphans:
            del owners_of_orphans[pid]
        for pid in orphans:
            session = _session_of(pid)
            known = session == ended or session in children
            owners = children & {session} if known else children
            owners_of_orphans[pid] = owners_of_orphans.get(pid, owners) & owners
        doomed = [pid for pid, owners in owners_of_orphans.items() if not owners]
        if not doomed:
            return
        for pid in doomed:
            _kill_if_alive(os.kill, pid)
        for pid in doomed:
            try:
                os.waitpid(pid, 0)
            except ChildProcessError:
                pass


def _orphans(children: set[int]) -> set[int]:
    try:
        listed = Path(f"/proc/self/task/{os.getpid()}/children").read_text()
    except OSError:
        return set()
    return {int(pid) for pid in listed.split()} - children


def _session_of(pid: int) -> int:
    try:
        return os.getsid(pid)
    except OSError:
        return 0
