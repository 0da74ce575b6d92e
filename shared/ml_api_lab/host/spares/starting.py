"""Where a program starts others: spares become them, as far as they can."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from ml_api_lab.host import internals
from ml_api_lab.host.spares.asked import MAX_DESCRIPTORS, Asked, send
from ml_api_lab.host.spares.need import Need
from ml_api_lab.host.spares.successor import Successor
from ml_api_lab.protocol.python_commands import python_arguments

_IGNORED_BY_PYTHON = {signal.SIGPIPE, signal.SIGXFSZ} if hasattr(signal, "SIGPIPE") else set()


@dataclass(frozen=True)
class Spare:
    """A spare that waits.

    Attributes:
        connection: where it is asked.
    """

    pid: int
    connection: socket.socket

    def become(self, asked: Asked, descriptors: list[int]) -> bool:
        """Ask it to become that; return whether it does."""
        try:
            send(self.connection, asked, descriptors)
            return self.connection.recv(1) == b"\1"
        except OSError:
            return False


class Starter:
    """Stands where a process starts others, and has spares become them where they can."""

    def __init__(self, spares: list[Spare], need: Need, successor: Successor) -> None:
        self._owner = os.getpid()
        self._spares = spares
        self._need = need
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
        if (
            arguments is None
            or not self._need.serves(arguments)
            or len(descriptors) > MAX_DESCRIPTORS
        ):
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
            _umask(),
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


def _umask() -> int:
    mask = os.umask(0o077)  # it cannot be asked without being set
    os.umask(mask)
    return mask


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
