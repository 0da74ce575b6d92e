"""A pool of host processes: how each is started, connects back, and is terminated.

A host is the process that runs a submission. Where the platform can fork, a fork server imports
what submissions need once, and every host is a fork of it (a few milliseconds). Where it cannot,
every host is a fresh interpreter. Either way the new process connects back over loopback and shows
a token, and one more host than is needed is always being started, so that a check seldom waits for
its own.

Several threads may acquire hosts at once.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable

from ml_api_lab.errors import HarnessError
from ml_api_lab.protocol.confinement import UNCONFINED, Confinement
from ml_api_lab.protocol.link import BadFrame, Link, LinkClosed
from ml_api_lab.protocol.messages import (
    ClockName,
    Ended,
    Execute,
    Fork,
    Hello,
    HostRole,
    Kill,
    Members,
    Release,
    Signal,
    Survey,
)
from ml_api_lab.sandbox.hosts.interpreter import kill_group, kill_process_tree, start_interpreter
from ml_api_lab.sandbox.hosts.listener import Listener

_START_TIMEOUT_SECONDS = 120.0
_FORK_TIMEOUT_SECONDS = 20.0
_EXIT_TIMEOUT_SECONDS = 20.0
_MOST_READY_FORKS, _MOST_READY_INTERPRETERS = 12, 4
_POLL_SECONDS = 0.1
"""How often to see whether the process that is waited for is still alive."""


class HostPool:
    """Hosts of one kind: on one clock, with the same modules loaded."""

    def __init__(
        self,
        clock: ClockName,
        modules: tuple[str, ...] = (),
        *,
        fork: bool | None = None,
        confinement: Confinement = UNCONFINED,
    ):
        """Begin to start the first host.

        Args:
            clock: "lab" or "real".
            modules: what to import before forking.
            fork: whether to fork; by default, whether the platform can.
            confinement: what each host applies before it runs anything of a submission's.
        """
        self._clock = clock
        self._confinement = confinement
        self._modules = modules
        self._forks = hasattr(os, "fork") if fork is None else fork
        # Through a file: a network of a host's own does not lead to this machine's ports.
        self._listener = Listener(through_file=confinement.tier == "namespace")
        self._log = tempfile.TemporaryFile()
        self._server: subprocess.Popen[bytes] | None = None
        self._control: Link | None = None
        self._starting: dict[str, subprocess.Popen[bytes] | None] = {}
        self._hosts: dict[int, subprocess.Popen[bytes] | None] = {}
        self._statuses: dict[int, int] = {}
        self._members: dict[int, Members] = {}
        self._executed: set[int] = set()
        self._server_token = ""
        self._lock = threading.RLock()
        self._counting = threading.Lock()
        self._acquiring = self._acquired = 0
        if self._forks:
            self._server, self._server_token = self._launch("forks")
        else:
            self._start_one()

    def acquire(self) -> tuple[Link, int]:
        """Return the link and the process id of a fresh host, and start the next.

        Raises:
            HarnessError: none connected in time.
        """
        # Counted before it waits for the others, so that one is started for each at once.
        self._count_acquiring(1)
        with self._lock:
            try:
                link, hello = self._accept_host()
            except HarnessError:
                if not self._forks:
                    raise
                # A submission may have ended or stopped the fork server, which is its parent.
                link, hello = self._accept_host()
            finally:
                self._count_acquiring(-1)
            # First of all: with a fork server that is gone, all that it had started is forgotten.
            process = self._starting.pop(hello.token)
            self._read_exits()  # those of earlier processes with this number are not of this one
            self._statuses.pop(hello.pid, None)
            self._hosts[hello.pid] = process
            self._acquired += 1
            self._start_up_to(self._acquiring + 1)
            return link, hello.pid

    def refill(self) -> None:
        """Start as many hosts as were acquired since the last call, for as many to come."""
        with self._lock:
            most = _MOST_READY_FORKS if self._forks else _MOST_READY_INTERPRETERS
            self._start_up_to(min(self._acquired, most), are_early=True)
            self._acquired = 0

    def terminate(self, pid: int) -> None:
        """Kill that host and all that it started; a fork server does so asynchronously."""
        with self._lock:
            process = self._hosts.pop(pid, None)
            if process is not None:
                kill_process_tree(process)
                return
            is_executed = pid in self._executed
            self._executed.discard(pid)
            has_exited = self._statuses.pop(pid, None) is not None
            if not self._forks or (has_exited and not is_executed):
                return
            if self._control is not None:
                try:
                    self._control.send(Kill(pid))
                    return
                except LinkClosed:
                    self._forget_server()
            # The fork server is gone, and with it the one who would have ended its hosts. In a
            # namespace they are gone as well, and the number would be another's.
            if self._confinement.tier != "namespace":
                kill_group(pid)

    def wait_for_exit(self, pid: int, timeout_seconds: float) -> int | None:
        """Return the exit status of a host that is exiting by itself, None if it does not."""
        with self._lock:
            process = self._hosts.get(pid)
            if process is not None:
                try:
                    return process.wait(timeout_seconds)
                except subprocess.TimeoutExpired:
                    return None
            self._read_until(lambda: pid in self._statuses, timeout_seconds)
            return self._statuses.get(pid)

    def execute(self, program: Execute) -> int:
        """Have a fresh host become that program; return its process id.

        The program stays a host of this pool: `exit_status` and `signal` are for it, and
        `terminate` ends it with what it has left behind.

        Raises:
            HarnessError: there is no host, or it is gone again.
        """
        if not self.can_execute:
            raise HarnessError("Without a fork server a host cannot become another program.")
        link, pid = self.acquire()
        with self._lock:
            try:
                assert self._control is not None
                self._control.send(Release(pid))
                link.send(program)
            except LinkClosed as error:
                raise HarnessError(f"The host process ended before it began: {error}.") from error
            finally:
                link.close()
            self._executed.add(pid)
            return pid

    @property
    def can_execute(self) -> bool:
        """Whether hosts can become other programs: those on the wall clock, if they are forked."""
        return self._forks and self._clock == "real"

    def exit_status(self, pid: int) -> int | None:
        """Return the exit status of a host, None while it runs."""
        with self._lock:
            self._read_exits()
            if self._control is None and pid not in self._statuses:
                return -signal.SIGKILL  # with the fork server went who would have told
            return self._statuses.get(pid)

    def signal(self, pid: int, number: int, *, to_group: bool) -> None:
        """Send a signal to a host, or to its whole group."""
        with self._lock:
            process = self._hosts.get(pid)
            if process is not None:
                process.send_signal(number)
            if self._control is not None:
                try:
                    self._control.send(Signal(pid, number, to_group))
                except LinkClosed:
                    self._forget_server()

    def members(self, pid: int) -> Members:
        """Return what a host has started in its group and still runs, or it itself."""
        with self._lock:
            self._members.pop(pid, None)
            if self._control is not None:
                try:
                    self._control.send(Survey(pid))
                    self._read_until(lambda: pid in self._members, _EXIT_TIMEOUT_SECONDS)
                except LinkClosed:
                    self._forget_server()
            nobody = Members(pid, are_there=False, are_at_work=False, commands=[])
            return self._members.get(pid, nobody)

    def close(self) -> None:
        """Kill all hosts and the fork server."""
        for pid in [pid for pid, process in self._hosts.items() if process is not None]:
            self.terminate(pid)
        for process in self._starting.values():
            if process is not None:
                kill_process_tree(process)
        if self._control is not None:
            self._control.close()
        if self._server is not None:
            try:
                self._server.wait(_EXIT_TIMEOUT_SECONDS if self._control is not None else 0)
            except subprocess.TimeoutExpired:
                self._server.kill()
                self._server.wait()
        self._listener.close()
        self._log.close()

    # --- starting hosts -------------------------------------------------------------------------

    def _accept_host(self) -> tuple[Link, Hello]:
        if self._forks:
            self._connect_server()
        self._start_up_to(self._acquiring)
        return self._accept(
            _FORK_TIMEOUT_SECONDS if self._control is not None else _START_TIMEOUT_SECONDS
        )

    def _launch(self, role: HostRole) -> tuple[subprocess.Popen[bytes], str]:
        token = os.urandom(8).hex()
        told = [self._listener.address, token, self._clock, role, self._confinement.to_text()]
        return start_interpreter([*told, *self._modules], self._log), token

    def _count_acquiring(self, change: int) -> None:
        with self._counting:
            self._acquiring += change

    def _start_up_to(self, number: int, *, are_early: bool = False) -> None:
        """Have at least that many hosts starting."""
        for _ in range(number - len(self._starting)):
            self._start_one(is_early=are_early)

    def _start_one(self, *, is_early: bool = False) -> None:
        """Start the next host; one for a run to come gets ready meanwhile."""
        if not self._forks:
            process, token = self._launch("one")
            self._starting[token] = process
        elif self._control is not None:
            token = os.urandom(8).hex()
            self._starting[token] = None
            try:
                self._control.send(Fork(token, is_early))
            except LinkClosed:
                self._forget_server()

    def _connect_server(self) -> None:
        if self._server is None:
            self._server, self._server_token = self._launch("forks")
        if self._control is None:
            self._control, _ = self._accept(_START_TIMEOUT_SECONDS)
            self._start_one()

    def _accept(self, timeout_seconds: float) -> tuple[Link, Hello]:
        """Wait for a process of ours to connect."""
        give_up = time.monotonic() + timeout_seconds
        while time.monotonic() < give_up:
            is_server_next = self._forks and self._control is None
            tokens = {self._server_token} if is_server_next else self._starting.keys()
            if (caller := self._listener.next_caller(tokens, give_up)) is not None:
                return caller
            if not any(map(_is_alive, [self._server, *self._starting.values()])):
                break
            self._wake_server()
        self._log.seek(0)
        # The log is that of all that was tried; the last traceback is why it ended.
        _, *last = self._log.read().decode(errors="replace").rpartition("Traceback")
        said = "".join(last).strip()
        self._forget_server()
        raise HarnessError(f"The host process did not start. It said: {said or 'nothing'}")

    def _wake_server(self) -> None:
        """Let a fork server go on that a submission may have stopped (SIGSTOP)."""
        if os.name == "posix" and self._server is not None and self._server.poll() is None:
            self._server.send_signal(signal.SIGCONT)

    def _forget_server(self) -> None:
        """Forget a fork server that is gone, or fresh interpreters; the next host starts others."""
        if self._server is not None:
            self._server.kill()
            self._server.wait()
        if self._control is not None:
            self._control.close()
        self._server = self._control = None
        self._starting = {token: each for token, each in self._starting.items() if _is_alive(each)}

    def _read_until(self, is_known: Callable[[], bool], timeout_seconds: float) -> None:
        give_up = time.monotonic() + timeout_seconds
        while self._control is not None:
            self._read_exits()
            left = give_up - time.monotonic()
            if is_known() or self._control is None or left <= 0:
                return
            if not select.select([self._control], [], [], min(left, _POLL_SECONDS))[0]:
                self._wake_server()

    def _read_exits(self) -> None:
        """Read what the fork server has told so far: unread, it would block it in the end."""
        try:
            while self._control is not None and select.select([self._control], [], [], 0)[0]:
                self._control.read_more()
                while (message := self._control.next_message()) is not None:
                    if isinstance(message, Ended) and message.pid in self._hosts:
                        self._statuses[message.pid] = message.status
                    elif isinstance(message, Members):
                        self._members[message.pid] = message
        except (LinkClosed, BadFrame):
            self._forget_server()


def _is_alive(process: subprocess.Popen[bytes] | None) -> bool:
    return process is not None and process.poll() is None
