"""Where the processes of a pool call back, each with the token by which it is known.

Anybody on this machine can connect, a submission too: whoever sends nothing or something else keeps
nobody waiting.
"""

from __future__ import annotations

import os
import select
import shutil
import socket
import tempfile
import time
from collections.abc import Container

from ml_api_lab.protocol.link import BadFrame, Link, LinkClosed
from ml_api_lab.protocol.messages import Hello

_MAX_CALLERS = 64
_CALL_TIMEOUT_SECONDS = 120.0
_POLL_SECONDS = 0.1


class Listener:
    """A socket that hosts connect to.

    Args:
        through_file: whether it lies in a folder of its own, and is no port of the machine's.

    Attributes:
        address: what a host is told: a port, or a path.
    """

    def __init__(self, *, through_file: bool) -> None:
        self._folder = tempfile.mkdtemp(prefix="lab-") if through_file else None
        if self._folder is None:
            self._socket = socket.create_server(("127.0.0.1", 0), backlog=16)
            self.address = str(self._socket.getsockname()[1])
        else:
            self.address = os.path.join(self._folder, "link")
            self._socket = socket.socket(socket.AF_UNIX)
            self._socket.bind(self.address)
            self._socket.listen(16)
        self._socket.setblocking(False)
        self._callers: list[Link] = []

    def fileno(self) -> int:
        return self._socket.fileno()

    def next_caller(self, tokens: Container[str], give_up: float) -> tuple[Link, Hello] | None:
        """Wait for a process that shows one of these tokens.

        Args:
            give_up: until when to wait at most, as `time.monotonic` has it.

        Returns:
            Its link and its hello, or None if nobody has said anything for a moment.
        """
        while time.monotonic() < give_up:
            waiting: list[Listener | Link] = [self, *self._callers]
            ready = select.select(waiting, [], [], _POLL_SECONDS)[0]
            if not ready:
                return None
            if self in ready:
                self._accept()
            for caller in [each for each in self._callers if each in ready]:
                if (hello := self._identify(caller, tokens)) is not None:
                    return caller, hello
        return None

    def close(self) -> None:
        """Hang up on all who have called and were not known."""
        for caller in self._callers:
            caller.close()
        self._socket.close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _accept(self) -> None:
        try:
            connection, _ = self._socket.accept()
        except OSError:
            return  # hung up again
        self._callers.append(Link(connection, timeout=_CALL_TIMEOUT_SECONDS))
        if len(self._callers) > _MAX_CALLERS:
            self._callers.pop(0).close()

    def _identify(self, caller: Link, tokens: Container[str]) -> Hello | None:
        """Read from a caller; return its hello if it is ours, and hang up if it is not."""
        try:
            caller.read_more()
            hello = caller.next_message()
        except (LinkClosed, BadFrame):
            hello = None
        else:
            if hello is None:
                return None  # it has not finished
        self._callers.remove(caller)
        if isinstance(hello, Hello) and hello.token in tokens:
            return hello
        caller.close()
        return None
