"""The link: typed messages in length-framed JSON between the checks and a submission's host.

A frame is four bytes of length (big-endian) and that many bytes of a JSON object; its ``kind``
names one of the classes in :mod:`ml_api_lab.protocol.messages`, its other keys are exactly that
class's fields. Whatever else arrives is a :class:`BadFrame`: the far side runs strangers' code, so
nothing is taken on trust, neither the length nor the types.

"""

from __future__ import annotations

import _thread
import json
import socket
import types
from collections.abc import Callable
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from ml_api_lab.protocol.messages import Hello, Message

FRAME_LIMIT_BYTES = 16 * 1024 * 1024
"""The largest frame that either side accepts."""

_HEADER_BYTES = 4
_UNSENT_LIMIT_BYTES = 64 * 1024
_READ_BYTES = 64 * 1024
"""How much is received at a time: a larger buffer is memory to be mapped and unmapped each time."""

_VALUE_BYTES = 64
"""What one more value takes in memory, however short it was sent."""


class BadFrame(Exception):
    """A frame that is too large, not JSON, or not one of the messages."""


class LinkClosed(Exception):
    """The far side is gone."""


_KINDS: dict[str, type[Message]] = {cls.__name__.lower(): cls for cls in get_args(Message)}


def checker(hint: Any) -> Callable[[object], bool]:
    """Return what tells whether a value that came as JSON has a type that is annotated so."""
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        choices = [checker(choice) for choice in get_args(hint)]
        return lambda value: any(fits(value) for fits in choices)
    if origin is Literal:
        return lambda value: type(value) is str and value in get_args(hint)
    if origin is list:
        item = checker(get_args(hint)[0])
        return lambda value: type(value) is list and all(map(item, value))
    if origin is dict:
        item = checker(get_args(hint)[1])
        return lambda value: type(value) is dict and all(map(item, value.values()))
    if hint is float:
        return lambda value: type(value) in (int, float)
    return lambda value: type(value) is hint


# Made at once: a fork server has them before it forks, and no host makes its own.
_SCHEMAS = {
    kind: {name: checker(hint) for name, hint in get_type_hints(cls).items()}
    for kind, cls in _KINDS.items()
}


def encode(message: Message) -> bytes:
    """Return the message as a frame."""
    data = json.dumps({"kind": type(message).__name__.lower(), **message._asdict()}).encode()
    return len(data).to_bytes(_HEADER_BYTES, "big") + data


def decode(data: bytes) -> Message:
    """Return the message in a frame's JSON.

    Raises:
        BadFrame: it is not JSON, of no known kind, or its fields are not that kind's.
    """
    try:
        content = json.loads(data.decode())
    except (ValueError, RecursionError) as error:
        raise BadFrame(f"a frame of {len(data)} bytes is not JSON") from error
    if not isinstance(content, dict):
        raise BadFrame("a frame is not a JSON object")
    kind = str(content.pop("kind", None))
    cls = _KINDS.get(kind)
    if cls is None:
        raise BadFrame("a frame is of no known kind")
    schema = _SCHEMAS[kind]
    if content.keys() != schema.keys():
        raise BadFrame(f"a {cls.__name__} has the wrong fields")
    for name, fits in schema.items():
        if not fits(content[name]):
            hint = get_type_hints(cls)[name]
            raise BadFrame(f"the field {name} of a {cls.__name__} is not {hint}")
    return cls(**content)


class Link:
    """One end of a connection, sending and receiving messages.

    Sending is safe from any thread; receiving belongs to one.
    """

    def __init__(self, connection: socket.socket, timeout: float | None = None) -> None:
        if connection.family == socket.AF_INET:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.settimeout(timeout)
        self._socket = connection
        # Not threading's, which is a lock in lab time inside a host.
        self._sending = _thread.allocate_lock()
        self._unsent: bytearray = bytearray()
        self._buffer = bytearray()
        self.received = 0
        """How many bytes have come so far; many small values count as what they take in memory."""

    def limit_waiting(self, seconds: float) -> None:
        """Let no send or receive take longer than that from now on; it is closed then."""
        self._socket.settimeout(seconds)

    def fileno(self) -> int:
        return self._socket.fileno()

    def send_later(self, message: Message) -> None:
        """Keep the message back until the next `send`, so that both leave in one write.

        Raises:
            LinkClosed: so much was held back that it was sent, and the far side is gone.
        """
        with self._sending:
            self._unsent += encode(message)
            if len(self._unsent) > _UNSENT_LIMIT_BYTES:
                self._flush()

    def send(self, message: Message) -> None:
        """Send what was held back, then this message.

        Raises:
            LinkClosed: the far side is gone.
        """
        with self._sending:
            self._unsent += encode(message)
            self._flush()

    def _flush(self) -> None:
        data, self._unsent = self._unsent, bytearray()
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise LinkClosed(str(error)) from error

    def next_message(self) -> Message | None:
        """Take the next message out of what has been received, if it is complete.

        Raises:
            BadFrame: what was received is not a frame.
        """
        if len(self._buffer) < _HEADER_BYTES:
            return None
        size = int.from_bytes(self._buffer[:_HEADER_BYTES], "big")
        if size > FRAME_LIMIT_BYTES:
            raise BadFrame(f"a frame of {size} bytes is over the limit of {FRAME_LIMIT_BYTES}")
        if len(self._buffer) < _HEADER_BYTES + size:
            return None
        frame = bytes(self._buffer[_HEADER_BYTES : _HEADER_BYTES + size])
        del self._buffer[: _HEADER_BYTES + size]
        self.received += _VALUE_BYTES * (1 + frame.count(b",") + frame.count(b"["))
        return decode(frame)

    def read_more(self) -> None:
        """Wait for more bytes.

        Raises:
            LinkClosed: the far side is gone.
        """
        try:
            data = self._socket.recv(_READ_BYTES)
        except OSError as error:
            raise LinkClosed(str(error)) from error
        if not data:
            raise LinkClosed("end of stream")
        self._buffer += data
        self.received += len(data)

    def receive(self) -> Message:
        """Wait for the next message.

        Raises:
            BadFrame: what was received is not a frame.
            LinkClosed: the far side is gone.
        """
        while (message := self.next_message()) is None:
            self.read_more()
        return message

    def close(self) -> None:
        self._socket.close()


def dial(address: str, hello: Hello) -> Link:
    """Connect to the checks' side on this machine and say who is calling.

    Args:
        address: a port, or the path of a local socket: a network of one's own leads to no port.
    """
    if address.isdecimal():
        connection = socket.socket(socket.AF_INET)
        connection.connect(("127.0.0.1", int(address)))
    else:
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(address)
    link = Link(connection)
    link.send(hello)
    return link
