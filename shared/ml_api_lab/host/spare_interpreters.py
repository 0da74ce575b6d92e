"""The fresh interpreters that a program starts, as forks from before its first line (Linux).

A program that starts Python anew (a reloader, uvicorn as a command of its own, a search in several
processes) has it import FastAPI or scikit-learn once more, which takes longer than all else that a
check does. So a program whose source speaks of such things is given spares: children of its own,
forked before it runs, that wait to become ``python ...``. For `subprocess`, `multiprocessing` and
joblib such a child is like any other: its parent, group, session, descriptors, environment, signals
and exit status are what they would be, and its command line is told.

`os.exec*` gives a process another memory, which no fork can do. There a spare takes the process's
place, in its group and session, and the fork server follows it by what is noted in `Successor`.

What a fork cannot stand in for, and what comes when the spares are used up, is started as ever. A
source without the words that are looked for costs time, and nothing else.
"""

from __future__ import annotations

import ctypes
import json
import mmap
import os
import re
import signal
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NoReturn, Protocol

from ml_api_lab.host import internals
from ml_api_lab.protocol.messages import Execute
from ml_api_lab.protocol.python_commands import python_arguments

_SPARES = 2
"""As many as a search in two processes needs, or a server that a reloader starts twice."""

_STARTS = re.compile(rb"\bexec[lv]|subprocess|reload\b|workers\b|multiprocessing|ProcessPool")
_SEARCHES = re.compile(rb"n_jobs")
_WAITS = re.compile(rb"os\.wait|SIGCHLD|waitid|from os import[^\n]*\bwait")
"""Who waits for any child would see that there are some, and wait for them."""

_MAX_SOURCE_BYTES = 1_000_000
_MAX_DESCRIPTORS = 200
_HEADER = struct.Struct("=I")
_LOKY = ["-m", "joblib.externals.loky.backend.popen_loky_posix"]
_PR_SET_PDEATHSIG = 1
_POLL_SECONDS = 0.001
_IGNORED_BY_PYTHON = {signal.SIGPIPE, signal.SIGXFSZ} if hasattr(signal, "SIGPIPE") else set()

Serves = Callable[[list[str]], bool]
"""Whether a spare may become `python` with these arguments."""


class Closeable(Protocol):
    """What a spare has no business with."""

    def close(self) -> None:
        """Close it."""


class Successor:
    """Which process has taken the place of one that the fork server has forked, if any has."""

    def __init__(self) -> None:
        self._number = mmap.mmap(-1, mmap.PAGESIZE)  # shared with forks

    def note(self, pid: int) -> None:
        """Note the process that goes on when this one has ended."""
        self._number[: _HEADER.size] = _HEADER.pack(pid)

    def take(self) -> int:
        """Return the process that was noted, 0 for none, and forget it."""
        (pid,) = _HEADER.unpack(self._number[: _HEADER.size])
        self.note(0)
        return int(pid)


@dataclass(frozen=True)
class Asked:
    """What a spare is asked to become.

    Attributes:
        arguments: what follows `python`.
        command: the whole command, as it is shown.
        group: the process group to be in; 0 for one of its own.
        has_session: whether it begins a session of its own.
        ignored: the signals that it ignores from the start, which a program inherits.
        blocked: the signals that it holds back, likewise.
        descriptors: the numbers that the descriptors sent along are to have.
        replaces: whether it takes the place of who asks, and waits for that one's end.
    """

    arguments: list[str]
    command: list[str]
    environment: dict[str, str]
    folder: str
    group: int
    has_session: bool
    ignored: list[int]
    blocked: list[int]
    descriptors: list[int]
    replaces: bool

    @property
    def program(self) -> Execute:
        """The program to become, with descriptors that are in place."""
        return Execute(self.arguments, True, self.folder, self.environment, "", "")


# --- the spare ------------------------------------------------------------------------------------


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


def for_server(folder: str) -> Serves | None:
    """Return what spares of a program on the wall clock may become, None if it needs none."""
    source = _source(folder)
    return (
        (lambda arguments: True) if _STARTS.search(source) and not _WAITS.search(source) else None
    )


def for_training(folder: str) -> Serves | None:
    """Return what spares of a script in lab time may become, None if it needs none.

    The clock stands still in them, as in whatever else the script forks. So they are for workers of
    joblib alone; other programs are in real time.
    """
    source = _source(folder)
    is_wanted = _SEARCHES.search(source) and not _WAITS.search(source)
    return (lambda arguments: arguments[:2] == _LOKY) if is_wanted else None


def _source(folder: str) -> bytes:
    """Return all modules that lie in a folder, one after the other."""
    found = b""
    try:
        for entry in os.scandir(folder):
            if entry.name.endswith(".py") and entry.is_file():
                with open(entry.path, "rb") as file:
                    found += file.read(_MAX_SOURCE_BYTES) + b"\n"
    except OSError:  # the program will say what is wrong
        pass
    return found


def keep(serves: Serves | None, successor: Successor, closes: Sequence[Closeable]) -> Asked | None:
    """Fork spares, and let this process start them in place of fresh interpreters.

    Returns in each spare as well, but only when it is to become something.

    Args:
        serves: what they may become; None for no spares.
        successor: is told who takes the place of this process.
        closes: what spares close.

    Returns:
        None in this process; in a spare, what it is to become.
    """
    if serves is None or sys.platform != "linux":
        return None
    spares: list[_Spare] = []
    parent = os.getpid()
    for _ in range(_SPARES):
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            for each in (*(spare.connection for spare in spares), ours, *closes):
                each.close()
            return _wait(theirs, parent)
        theirs.close()
        spares.append(_Spare(pid, ours))
    _Starter(spares, serves, successor).install()
    return None


def _wait(connection: socket.socket, parent: int) -> Asked:
    """Wait until this spare is needed, and become what it is asked to; end with the parent."""
    # In a group of its own it is none of what the program has started, and hears no Ctrl-C.
    os.setpgid(0, 0)
    _end_with_parent(signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)
    while True:
        try:
            asked, descriptors = _receive(connection)
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
        _take_on(asked, descriptors)
        return asked


def _take_on(asked: Asked, descriptors: list[int]) -> None:
    """Have the descriptors, signals and command line that were asked for."""
    import fcntl  # not there on Windows

    above = max(asked.descriptors) + 1
    moved = [fcntl.fcntl(each, fcntl.F_DUPFD, above) for each in descriptors]
    for number, each in zip(asked.descriptors, moved, strict=True):
        os.dup2(each, number)
    ends = [*sorted(asked.descriptors), os.sysconf("SC_OPEN_MAX")]
    for below, number in pairwise([-1, *ends]):
        if number > below + 1:  # of no descriptors at all, close_range(2) takes 0 for all of them
            os.closerange(below + 1, number)
    signal.pthread_sigmask(signal.SIG_SETMASK, asked.blocked)
    _command_line.tell(asked.command)


def _end_with_parent(number: int) -> None:
    """Have the kernel send this signal when the parent ends; 0 for none."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)


def _receive(connection: socket.socket) -> tuple[Asked, list[int]]:
    data, descriptors, _, _ = socket.recv_fds(connection, _HEADER.size, _MAX_DESCRIPTORS)
    if len(data) < _HEADER.size:
        raise EOFError
    (left,) = _HEADER.unpack(data)
    text = b""
    while len(text) < left:
        part = connection.recv(left - len(text))
        if not part:
            raise EOFError
        text += part
    return Asked(**json.loads(text)), list(descriptors)


# --- who asks -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Spare:
    """A spare that waits.

    Attributes:
        connection: where it is asked.
    """

    pid: int
    connection: socket.socket

    def become(self, asked: Asked, descriptors: list[int]) -> bool:
        """Ask it to become that; return whether it does."""
        text = json.dumps(asked.__dict__).encode()
        try:
            socket.send_fds(self.connection, [_HEADER.pack(len(text))], descriptors)
            self.connection.sendall(text)
            return self.connection.recv(1) == b"\1"
        except OSError:
            return False


class _Starter:
    """Stands where a process starts others, and has spares become them where they can."""

    def __init__(self, spares: list[_Spare], serves: Serves, successor: Successor) -> None:
        self._owner = os.getpid()
        self._spares = spares
        self._serves = serves
        self._successor = successor
        self._lock = threading.Lock()

    def install(self) -> None:
        """Let all that starts other programs in this process go through here."""
        internals.wrap_spawning(self._wrap_spawning)
        execv, execve = os.execv, os.execve

        def replace(path: Any, argv: Any) -> NoReturn:
            self._replace(path, argv, os.environ)
            execv(path, argv)

        def replace_with(path: Any, argv: Any, env: Any) -> NoReturn:
            self._replace(path, argv, env)
            execve(path, argv, env)

        os.execv, os.execve = replace, replace_with
        os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        """Leave the spares to the parent, in a process that the program has forked."""
        for spare in self._spares:
            spare.connection.close()
        self._spares = []
        self._lock = threading.Lock()

    def _wrap_spawning(self, spawn: Callable[..., int]) -> Callable[..., int]:
        def start(*told: Any) -> int:
            return self._start_as_told(*told) or spawn(*told)

        return start

    def _start_as_told(self, *told: Any) -> int:
        """Do what `_posixsubprocess.fork_exec` is told, if a spare can; return 0 if none can."""
        # In the order of CPython's Modules/_posixsubprocess.c; what follows them is no matter here.
        words, programs, closes_others, passed, folder, environment = told[:6]
        pipes, problems, (has_session, group) = told[6:12], told[13], told[15:17]
        *user, umask, before = told[17:22]
        is_plain = closes_others and user == [None] * 3 and umask < 0 and before is None
        if not is_plain or not self._spares or self._owner != os.getpid():
            return 0
        stdin, _, _, stdout, _, stderr = pipes
        standard = {number: end for number, end in enumerate((stdin, stdout, stderr)) if end >= 0}
        try:
            return self._start(
                words,
                _program(programs),
                os.environb if environment is None else _variables(environment),
                os.getcwd() if folder is None else os.fsdecode(folder),
                {0: 0, 1: 1, 2: 2} | standard | {each: each for each in passed if each != problems},
                os.getpgrp() if group < 0 else group,
                has_session=bool(has_session),
            )
        except (OSError, TypeError, ValueError):
            return 0  # the real one says what is wrong

    def _replace(self, path: Any, words: Any, environment: Any) -> None:
        """Let a spare take the place of this process, if one can; then this one is gone."""
        if not self._spares or self._owner != os.getpid() or self._has_children():
            return
        try:
            pid = self._start(
                words,
                os.fsdecode(path),
                {os.fsencode(name): os.fsencode(value) for name, value in environment.items()},
                os.getcwd(),
                {each: each for each in _inheritable()},
                os.getpgrp(),
                has_session=False,
                replaces=True,
            )
        except (OSError, TypeError, ValueError):
            return
        if pid:
            self._successor.note(pid)
            os._exit(0)

    def _start(
        self,
        words: Any,
        program: str,
        environment: Any,
        folder: str,
        descriptors: dict[int, int],
        group: int,
        has_session: bool,
        replaces: bool = False,
    ) -> int:
        """Have a spare become that program; return its number, 0 if none can."""
        command = [os.fsdecode(word) for word in words]
        variables = {os.fsdecode(name): os.fsdecode(value) for name, value in environment.items()}
        own_flags = internals.interpreter_flags()
        flags = len(own_flags) if command[1 : 1 + len(own_flags)] == own_flags else 0
        arguments = python_arguments([program, *command[1 + flags :]], variables)
        if arguments is None or not self._serves(arguments) or len(descriptors) > _MAX_DESCRIPTORS:
            return 0
        asked = Asked(
            arguments,
            command,
            variables,
            folder,
            group,
            has_session,
            [each for each in _signals() if signal.getsignal(each) == signal.SIG_IGN],
            [int(each) for each in signal.pthread_sigmask(signal.SIG_BLOCK, [])],
            list(descriptors),
            replaces,
        )
        with self._lock:
            spare = self._spares.pop() if self._spares else None
        if spare is None:
            return 0
        with spare.connection:
            return spare.pid if spare.become(asked, list(descriptors.values())) else 0

    def _has_children(self) -> bool:
        """Whether this process has children beside the spares, which stay those of a program."""
        try:
            with open(f"/proc/self/task/{self._owner}/children") as file:
                children = {int(each) for each in file.read().split()}
        except OSError:
            return True
        return bool(children - {spare.pid for spare in self._spares})


def _signals() -> list[int]:
    return [int(each) for each in signal.valid_signals() - _IGNORED_BY_PYTHON]


def _program(programs: Sequence[bytes]) -> str:
    """Return the first of the paths at which a program is looked for that there is."""
    return next((os.fsdecode(each) for each in programs if os.path.exists(each)), "")


def _variables(environment: Sequence[bytes]) -> dict[bytes, bytes]:
    pairs = (each.partition(b"=") for each in environment)
    return {name: value for name, _, value in pairs}


def _inheritable() -> list[int]:
    """Return the descriptors that a program keeps which takes the place of this one."""
    numbers = [int(each) for each in os.listdir("/proc/self/fd")]
    return [each for each in numbers if _is_inheritable(each)]


def _is_inheritable(descriptor: int) -> bool:
    try:
        return os.get_inheritable(descriptor)
    except OSError:  # that of the listing itself
        return False
