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

from ml_api_lab.host.spares.successor import Successor
from ml_api_lab.protocol.link import Link, LinkClosed
from ml_api_lab.protocol.messages import (
    Ended,
    Fork,
    Kill,
    Members,
    Message,
    Release,
    Signal,
    Survey,
)
from ml_api_lab.protocol.process_groups import (
    are_at_work,
    command_line,
    has_members,
    running_members,
)

_PR_SET_CHILD_SUBREAPER = 36
_MAX_SWEEPS = 1000


def serve(link: Link, host: Callable[[Fork, Successor], int]) -> None:
    """Serve until the checks' side is gone. `host(asked, successor)` is a fork's whole life."""
    _become_subreaper()
    wake, woken = socket.socketpair()
    woken.setblocking(False)
    wake.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    signal.set_wakeup_fd(woken.fileno(), warn_on_full_buffer=False)

    def run_child(asked: Fork, successor: Successor) -> NoReturn:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for each in (wake, woken, link):
            each.close()
        _run_child(host, asked, successor)

    server = _ForkServer(link, run_child)
    try:
        while True:
            readable, _, _ = select.select([link.fileno(), wake.fileno()], [], [])
            # What was asked for first: a host may have ended since.
            while select.select([link.fileno()], [], [], 0)[0]:
                link.read_more()
                while (message := link.next_message()) is not None:
                    server.handle(message)
            if wake.fileno() in readable:
                wake.recv(4096)
                server.reap()
    except LinkClosed:
        pass
    finally:
        server.close()


class _ForkServer:
    """The hosts that it has forked, and what they have left behind.

    A host that has been released (it is a program of its own) is not tidied up after when it ends:
    what it leaves behind is for a check to see, until the checks' side says `Kill`. Where another
    process has taken its place, that one is meant by its number.
    """

    def __init__(self, link: Link, run_child: Callable[[Fork, Successor], NoReturn]) -> None:
        self._link = link
        self._run_child = run_child
        self._hosts: dict[int, Successor] = {}
        self._in_place_of: dict[int, int] = {}
        self._released: set[int] = set()
        self._left_behind: set[int] = set()
        # Orphans, each with the hosts that may have started it and are not done with.
        self._owners_of_orphans: dict[int, set[int]] = {}

    def handle(self, message: Message) -> None:
        match message:
            case Fork():
                successor = Successor()
                pid = os.fork()
                if pid == 0:
                    self._run_child(message, successor)
                self._hosts[pid] = successor
            case Release() if message.pid in self._hosts:
                self._released.add(message.pid)
            case Signal() if message.pid in self._hosts:
                if message.to_group:
                    _send_if_alive(os.killpg, message.pid, message.number)
                else:
                    _send_if_alive(os.kill, self._process_of(message.pid), message.number)
            case Survey():
                self._link.send(self._members(message.pid))
            case Kill() if message.pid in self._hosts:
                # Alone as well: it may not have become a group yet.
                _send_if_alive(os.killpg, message.pid, signal.SIGKILL)
                _send_if_alive(os.kill, self._process_of(message.pid), signal.SIGKILL)
                self._released.discard(message.pid)
            case Kill() if message.pid in self._left_behind:
                self._left_behind.discard(message.pid)
                self._tidy_up(message.pid)

    def reap(self) -> None:
        """Collect what has ended, and tell of hosts among it."""
        while True:
            try:
                process, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if process == 0:
                return
            pid = self._in_place_of.pop(process, process)
            if pid not in self._hosts or self._has_been_followed(pid):
                continue
            del self._hosts[pid]
            if pid in self._released:
                self._released.discard(pid)
                self._left_behind.add(pid)
            else:
                self._tidy_up(pid)
            self._link.send(Ended(pid, os.waitstatus_to_exitcode(status)))

    def close(self) -> None:
        """Kill all hosts and what they have left behind."""
        for pid in self._hosts.keys() | self._left_behind:
            _send_if_alive(os.killpg, pid, signal.SIGKILL)
        self._hosts, self._in_place_of, self._left_behind = {}, {}, set()
        self._kill_orphans(0)

    def _process_of(self, pid: int) -> int:
        """Return the process that is meant by the number of a host."""
        return next((each for each, host in self._in_place_of.items() if host == pid), pid)

    def _has_been_followed(self, pid: int) -> bool:
        """Whether another process has taken the place of a program that has ended.

        The program itself says so, and may say what it likes: it has to be one that it started.
        """
        process = self._hosts[pid].take()
        follows = pid in self._released and process in _children() - self._hosts.keys()
        if follows and _session_of(process) == pid:
            self._in_place_of[process] = pid
            return True
        return False

    def _members(self, pid: int) -> Members:
        """Return what a host has started that still runs, in its session or another."""
        self._find_orphans(0)
        orphans = {orphan for orphan, owners in self._owners_of_orphans.items() if pid in owners}
        found = sorted({*running_members(pid), *orphans})
        commands = [command_line(each) for each in found]
        # A fork of a host has the command line of this process: its own would be main.py's.
        told = [each for each in commands if each not in ("", command_line(os.getpid()))]
        return Members(pid, has_members(pid) or bool(orphans), are_at_work(found), told)

    def _tidy_up(self, pid: int) -> None:
        """End what a host that has ended left behind."""
        # Its number may be another's by now; that of a group that still has members is not.
        if pid not in self._hosts:
            _send_if_alive(os.killpg, pid, signal.SIGKILL)
        self._kill_orphans(pid)

    def _kill_orphans(self, ended: int) -> None:
        """Kill the orphans that no host can have started but those that have ended."""
        for _ in range(_MAX_SWEEPS):
            self._find_orphans(ended)
            doomed = [pid for pid, owners in self._owners_of_orphans.items() if not owners]
            if not doomed:
                return
            for pid in doomed:
                _send_if_alive(os.kill, pid, signal.SIGKILL)
            for pid in doomed:
                try:
                    os.waitpid(pid, 0)
                except ChildProcessError:
                    pass

    def _find_orphans(self, ended: int) -> None:
        """Note the orphans that there are now, each with the hosts that may have started it.

        An orphan is a child of this process that it has not forked. Its session says whose it is,
        but for a session that a host's helper has begun: then it may be of any host that lived when
        it was first seen, and stays until all of those have ended.
        """
        alive = self._hosts.keys() | self._left_behind
        children = _children() - self._hosts.keys() - self._in_place_of.keys()
        for pid in self._owners_of_orphans.keys() - children:
            del self._owners_of_orphans[pid]
        for pid in children:
            session = _session_of(pid)
            known = session == ended or session in alive
            owners = alive & {session} if known else alive
            self._owners_of_orphans[pid] = self._owners_of_orphans.get(pid, owners) & owners


def _run_child(
    host: Callable[[Fork, Successor], int], asked: Fork, successor: Successor
) -> NoReturn:
    status = 1
    try:
        # A session of its own: one signal reaches all that the submission starts.
        os.setsid()
        status = host(asked, successor)
    finally:
        os._exit(status & 0xFF)


def _send_if_alive(how: Callable[[int, int], None], pid: int, number: int) -> None:
    try:
        how(pid, number)
    except (ProcessLookupError, PermissionError):
        pass


def _become_subreaper() -> None:
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _children() -> set[int]:
    try:
        listed = Path(f"/proc/self/task/{os.getpid()}/children").read_text()
    except OSError:
        return set()
    return {int(pid) for pid in listed.split()}


def _session_of(pid: int) -> int:
    try:
        return os.getsid(pid)
    except OSError:
        return 0
