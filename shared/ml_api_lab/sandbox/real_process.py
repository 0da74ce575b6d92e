"""A real process of a submission, on the wall clock: for servers on real sockets."""

from __future__ import annotations

import asyncio
import errno
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from ml_api_lab.protocol.messages import Execute
from ml_api_lab.protocol.process_groups import (
    are_at_work,
    command_line,
    command_text,
    has_members,
    running_members,
)
from ml_api_lab.protocol.python_commands import python_arguments
from ml_api_lab.sandbox.clock import Clock
from ml_api_lab.sandbox.hosts.host_pool import HostPool
from ml_api_lab.sandbox.hosts.interpreter import kill_process_tree
from ml_api_lab.sandbox.limits import Limits
from ml_api_lab.sandbox.output import Output
from ml_api_lab.sandbox.transcript import Transcript

_POLL_SECONDS = 0.02
_EXIT_TIMEOUT_SECONDS = 20.0


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def is_free_port(port: int) -> bool:
    """Whether a server could have that port at all addresses of this machine."""
    try:
        socket.create_server(("0.0.0.0", port)).close()
    except OSError:
        return False
    return True


def other_address() -> str | None:
    """Return an address of this machine that a server on 127.0.0.1 alone does not have."""
    if sys.platform in ("linux", "win32"):
        # The whole block is this machine's.
        return f"127.{2 + secrets.randbelow(250)}.{secrets.randbelow(256)}.1"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing; it only chooses the way out
        except OSError:
            return None
        address = str(probe.getsockname()[0])
    return None if address.startswith(("127.", "0.")) else address


class Child(Protocol):
    """A process that was started, whichever way."""

    pid: int

    def poll(self) -> int | None:
        """Return its exit status, None while it runs."""

    def send_signal(self, number: int) -> None:
        """Send it a signal."""

    def interrupt(self) -> None:
        """Do what Ctrl-C does: a terminal tells all that was started from it."""

    def has_leftovers(self) -> bool:
        """Whether something that it started still runs (known on POSIX only)."""

    def leftover_commands(self) -> list[str]:
        """Return the command lines of what it started and still runs (known on Linux only)."""

    def is_at_work(self) -> bool:
        """Whether it, or something in its group, computes at this moment (known on Linux only)."""

    def kill_all(self) -> None:
        """End it with all that it started."""


class _Spawned:
    """A process of an interpreter, or of another program, that was started anew."""

    def __init__(
        self, command: list[str], folder: Path, environment: Mapping[str, str], output: Path
    ) -> None:
        self._command = command
        # Opened for the process alone: it shares no place in the file with who reads there.
        with output.open("ab") as printed:
            self._process = subprocess.Popen(
                command,
                cwd=folder,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=printed,
                start_new_session=os.name == "posix",
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            )
        self.pid = self._process.pid

    def poll(self) -> int | None:
        return self._process.poll()

    def send_signal(self, number: int) -> None:
        try:
            self._process.send_signal(number)
        except ValueError:  # Windows has three
            self._process.terminate()

    def interrupt(self) -> None:
        if os.name == "posix":
            os.killpg(self.pid, signal.SIGINT)
        else:
            self._process.send_signal(signal.CTRL_BREAK_EVENT)  # type: ignore[attr-defined]  # Windows

    def has_leftovers(self) -> bool:
        return os.name == "posix" and has_members(self.pid)

    def leftover_commands(self) -> list[str]:
        own = command_text(self._command)
        found = (command_line(each) for each in running_members(self.pid))
        return [each for each in found if each not in ("", own)]

    def is_at_work(self) -> bool:
        return are_at_work(running_members(self.pid))

    def kill_all(self) -> None:
        kill_process_tree(self._process)


class _Forked:
    """A fork of a warm interpreter that has become the program, confined as all hosts are."""

    def __init__(self, pool: HostPool, program: Execute) -> None:
        self._pool = pool
        self.pid = pool.execute(program)

    def poll(self) -> int | None:
        return self._pool.exit_status(self.pid)

    def send_signal(self, number: int) -> None:
        self._pool.signal(self.pid, number, to_group=False)

    def interrupt(self) -> None:
        self._pool.signal(self.pid, signal.SIGINT, to_group=True)

    def has_leftovers(self) -> bool:
        return self._pool.members(self.pid).are_there

    def leftover_commands(self) -> list[str]:
        return self._pool.members(self.pid).commands

    def is_at_work(self) -> bool:
        return self._pool.members(self.pid).are_at_work

    def kill_all(self) -> None:
        self._pool.signal(self.pid, signal.SIGKILL, to_group=True)
        self._pool.wait_for_exit(self.pid, _EXIT_TIMEOUT_SECONDS)
        self._pool.terminate(self.pid)


def _found(command: list[str], environment: Mapping[str, str]) -> list[str]:
    """Return the command with the path of its program.

    Raises:
        OSError: there is no such program.
    """
    name = command[0]
    path = shutil.which(name, path=environment.get("PATH", os.defpath))
    if path is None:
        number = errno.EACCES if os.path.exists(name) else errno.ENOENT
        raise OSError(number, os.strerror(number), name)
    return [path, *command[1:]]


class Process:
    """A process in a group of its own, its output recorded.

    Time-outs are real time, and generous: they end what would never end.

    Args:
        pool: the hosts of which one becomes the process; None for a process that no host is behind,
            and that may do all that the checks may.
        workspace: the folder that it may write to; by default, the one in which it runs.

    Raises:
        OSError: there is no such program.
    """

    def __init__(
        self,
        command: list[str],
        folder: Path,
        environment: Mapping[str, str],
        transcript: Transcript,
        clock: Clock,
        pool: HostPool | None = None,
        workspace: Path | None = None,
    ) -> None:
        self._clock = clock
        self._folder = Path(tempfile.mkdtemp(prefix="lab-process-", dir=workspace))
        file = self._folder / "output"
        self._output = Output(file, transcript)
        self._limits = Limits(self._output, folder if workspace is None else workspace)
        self._is_beyond_limits = False
        self._transcript = transcript
        self._child: Child
        try:
            if pool is not None and pool.can_execute:
                arguments = python_arguments(command, environment)
                program = Execute(
                    arguments=_found(command, environment) if arguments is None else arguments,
                    is_python=arguments is not None,
                    folder=str(folder),
                    environment=dict(environment),
                    output=str(file),
                    workspace=str(folder if workspace is None else workspace),
                )
                self._child = _Forked(pool, program)
            else:
                self._child = _Spawned(command, folder, environment, file)
        except BaseException:
            self._clean_up()
            raise

    @property
    def status(self) -> int | None:
        """The exit status, None while it runs; asking ends what is beyond its limits."""
        status = self._child.poll()
        if status is None and not self._is_beyond_limits:
            excess = self._limits.excess()
            if excess is not None:
                self._is_beyond_limits = True
                self._transcript.note(self._clock.now, f"!! The process {excess}.")
                self._child.send_signal(getattr(signal, "SIGKILL", signal.SIGTERM))
        return status

    def interrupt(self) -> None:
        """Do what Ctrl-C does: a terminal tells all that was started from it."""
        self._child.interrupt()

    def send_signal(self, number: int) -> None:
        """Send it a signal, and nobody that it has started; end it where there is no such one."""
        self._child.send_signal(number)

    async def wait_for_exit(self, timeout_seconds: float) -> int | None:
        """Wait until it has ended; return its exit status, None if it still runs then."""
        give_up = time.monotonic() + timeout_seconds
        while self.status is None and time.monotonic() < give_up:
            await asyncio.sleep(_POLL_SECONDS)
        return self.status

    def has_leftovers(self) -> bool:
        """Whether something that it started still runs (known on POSIX only)."""
        return self._child.has_leftovers()

    def leftover_commands(self) -> list[str]:
        """Return the command lines of what it started and still runs (known on Linux only).

        A fork has none of its own.
        """
        return self._child.leftover_commands()

    def is_at_work(self) -> bool:
        """Whether it, or something in its group, computes at this moment (known on Linux only)."""
        return self._child.is_at_work()

    @property
    def output(self) -> str:
        """What it has printed so far."""
        return self._output.text

    def close(self) -> None:
        """End it with all that it started, and record what it printed."""
        if not self._output.is_closed:
            self._child.kill_all()
            self._clean_up()

    def _clean_up(self) -> None:
        self._output.close(self._clock.now)
        shutil.rmtree(self._folder, ignore_errors=True)
