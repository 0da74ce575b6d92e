"""What a spare is asked to become, and how it is told."""

from __future__ import annotations

import json
import socket
import struct
from dataclasses import dataclass

from ml_api_lab.protocol.messages import Execute

MAX_DESCRIPTORS = 200
_HEADER = struct.Struct("=I")


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
        umask: the permissions that its files do not get.
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
    umask: int
    descriptors: list[int]
    replaces: bool

    @property
    def program(self) -> Execute:
        """The program to become, with descriptors that are in place."""
        return Execute(self.arguments, True, self.folder, self.environment, "", "")


def send(connection: socket.socket, asked: Asked, descriptors: list[int]) -> None:
    """Ask for that, and send the descriptors along."""
    text = json.dumps(asked.__dict__).encode()
    socket.send_fds(connection, [_HEADER.pack(len(text))], descriptors)
    connection.sendall(text)


def receive(connection: socket.socket) -> tuple[Asked, list[int]]:
    """Wait to be asked.

    Raises:
        EOFError: nobody will ask any more.
    """
    data, descriptors, _, _ = socket.recv_fds(connection, _HEADER.size, MAX_DESCRIPTORS)
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
