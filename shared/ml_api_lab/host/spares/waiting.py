"""A spare: a process that waits to become an interpreter, and ends with its program otherwise."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import sys
import time
from itertools import pairwise

from ml_api_lab.host.spares.asked import Asked, receive

_PR_SET_PDEATHSIG = 1
_POLL_SECONDS = 0.001


class _CommandLine:
    """Where the kernel finds the command line of this process and of its forks."""

    def __init__(self) -> None:
        self._address = self._size = 0

    def find(self) -> None:
        try:
            with open("/proc/self/stat", "rb") as file:
                fields = file.read().rpartition(b") ")[2].split()
        except OSError:
            return
        begin, end = int(fields[45]), int(fields[46])
        self._address, self._size = begin, end - begin

    def tell(self, words: list[str]) -> None:
        """Say that this is the command line, as far as there is room."""
        if self._size:
            text = b"\0".join(os.fsencode(word) for word in words)[: self._size - 1]
            ctypes.memmove(self._address, text.ljust(self._size, b"\0"), self._size)


_command_line = _CommandLine()


def prepare() -> None:
    """Find out, before the first fork and before anything is refused, what spares need to know."""
    if sys.platform == "linux":
        _command_line.find()


def wait(connection: socket.socket, parent: int) -> Asked:
    """Wait until this spare is needed, and become what it is asked to; end with the parent."""
    # In a group of its own it is none of what the program has started, and hears no Ctrl-C.
    os.setpgid(0, 0)
    _end_with_parent(signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)
    while True:
        try:
            asked, descriptors = receive(connection)
        except (OSError, EOFError, ValueError):
            os._exit(0)
        try:
            os.chdir(asked.folder)
            os.setpgid(0, asked.group)
            if asked.has_session:
                os.setsid()
        except OSError:  # a fresh interpreter will say what is wrong
            for each in descriptors:
                os.close(each)
            connection.sendall(b"\0")
            continue
        _end_with_parent(0)
        connection.sendall(b"\1")
        while asked.replaces and os.getppid() == parent:
            time.sleep(_POLL_SECONDS)
        connection.detach()  # its number may be one of those that were asked for
        _take_on(asked, descriptors)
        return asked


def _take_on(asked: Asked, descriptors: list[int]) -> None:
    """Have the descriptors, signals, permissions and command line that were asked for."""
    import fcntl  # not there on Windows

    above = max(asked.descriptors, default=-1) + 1
    moved = [fcntl.fcntl(each, fcntl.F_DUPFD, above) for each in descriptors]
    for number, each in zip(asked.descriptors, moved, strict=True):
        os.dup2(each, number)
    ends = [*sorted(asked.descriptors), os.sysconf("SC_OPEN_MAX")]
    for below, number in pairwise([-1, *ends]):
        if number > below + 1:  # of no descriptors at all, close_range(2) takes 0 for all of them
            os.closerange(below + 1, number)
    signal.pthread_sigmask(signal.SIG_SETMASK, asked.blocked)
    os.umask(asked.umask)
    _command_line.tell(asked.command)


def _end_with_parent(number: int) -> None:
    """Have the kernel send this signal when the parent ends; 0 for none."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)
