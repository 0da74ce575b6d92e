"""The link: typed messages in length-framed JSON between the checks and a submission's host.

A frame is four bytes of length (big-endian) and that many bytes of a JSON object; its ``kind``
names one of the message classes below, its other keys are exactly that class's fields. Whatever
else arrives is a :class:`BadFrame`: the far side runs strangers' code, so nothing is taken on
trust, neither the length nor the types.

On the lab clock the two sides take turns. The checks' side sends its messages and then a
:class:`Grant`; the host acts on all of them at once, runs until nothing in it can run, and sends
its own messages and then an :class:`Idle`. On the wall clock neither is sent.

Both sides import this module, which imports nothing of the lab. Beside it the checks' side takes
two things from the host's, `timers` for its own loop and `standin` to write pickles of.
"""

from __future__ import annotations

import _thread
import json
import socket
import types
from collections.abc import Callable
from typing import Any, NamedTuple, Union, get_args, get_origin, get_type_hints

FRAME_LIMIT = 16 * 1024 * 1024
"""The largest frame that either side accepts, in bytes."""

_HEADER = 4
_HELD_LIMIT = 64 * 1024
_PIECE = 64 * 1024
"""How much is received at a time: a larger buffer is memory to be mapped and unmapped each time."""


class BadFrame(Exception):
    """A frame that is too large, not JSON, or not one of the messages."""


class LinkClosed(Exception):
    """The far side is gone."""


# --- to the host ------------------------------------------------------------------------------


class Fork(NamedTuple):
    """To the fork server: fork a host, which connects back and says this token."""

    token: str


class Kill(NamedTuple):
    """To the fork server: end that host and all that it started."""

    pid: int


class Start(NamedTuple):
    """To a fresh host: become the submission in this folder.

    `mode` is "serve", "mount" (serve it without its lifespan, as an application inside another gets
    none), "run" or "import"; `now` is the moment of lab time at which it begins.
    """

    mode: str
    folder: str
    file: str
    environment: dict[str, str]
    output: str
    terminal: str | None
    beat: int | None
    now: int


class Grant(NamedTuple):
    """It is now this moment (ns since the lab's day began); act until nothing can run."""

    now: int


class Request(NamedTuple):
    """An HTTP request. Header names and values are Latin-1 text, the body is base64."""

    id: int
    method: str
    target: str
    headers: list[list[str]]
    body: str


class Disconnect(NamedTuple):
    """The client of that request has gone away."""

    id: int


class Stop(NamedTuple):
    """Shut the application down."""


class Where(NamedTuple):
    """Say what the submission waits for (answered with `Waiting`)."""


class Tell(NamedTuple):
    """To the stand-in model of that name: fail (or answer again) from now on."""

    model: str
    failing: bool


# --- from the host ----------------------------------------------------------------------------


class Hello(NamedTuple):
    """A host has connected; the token shows which."""

    token: str
    pid: int


class Ended(NamedTuple):
    """From the fork server: that host has ended, with this status (negative: by a signal)."""

    pid: int
    status: int


class Ready(NamedTuple):
    """The application has started, or the module is imported."""


class Problem(NamedTuple):
    """An exception of the submission's: its type, its text and its own frames.

    `stage` is where it happened: "import", "app" (no application, as the text says), "startup",
    "lifespan" (its first event was refused, so there is none), "run", "request" or "shutdown";
    `request` is the request's id in a request and 0 otherwise. A frame is [file, line, function,
    source].
    """

    stage: str
    request: int
    type: str
    text: str
    frames: list[list[str]]


class Head(NamedTuple):
    """The status and headers of an answer."""

    id: int
    status: int
    headers: list[list[str]]


class Body(NamedTuple):
    """A piece (base64) of an answer's body."""

    id: int
    data: str
    more: bool


class Idle(NamedTuple):
    """Nothing in the host can run before this moment (None: before the next message)."""

    next: int | None


class Done(NamedTuple):
    """The script has ended with this exit status, or the application has shut down (0)."""

    status: int


class Beat(NamedTuple):
    """The submission's event loop was free to run another coroutine."""


class Journal(NamedTuple):
    """A stand-in model was loaded ("load") or asked ("predict", with its rows)."""

    event: str
    model: str
    rows: list[list[float]]


class Waiting(NamedTuple):
    """What the submission waits for, one [file, line, function, source] each."""

    frames: list[list[str]]


class Paused(NamedTuple):
    """The submission has entered the debugger (True) or left it (False)."""

    inside: bool


ToHost = Fork | Kill | Start | Grant | Request | Disconnect | Stop | Where | Tell
FromHost = (
    Hello | Ended | Ready | Problem | Head | Body | Idle | Done | Beat | Journal | Waiting | Paused
)
Message = ToHost | FromHost
"""One message; each class is its own schema."""

_KINDS: dict[str, type[Message]] = {cls.__name__.lower(): cls for cls in get_args(Message)}
_SCHEMAS: dict[str, dict[str, Callable[[object], bool]]] = {}


def _checker(hint: Any) -> Callable[[object], bool]:
    """Return what tells whether a JSON value has the type that a field is declared with."""
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        choices = [_checker(choice) for choice in get_args(hint)]
        return lambda value: any(fits(value) for fits in choices)
    if origin is list:
        item = _checker(get_args(hint)[0])
        return lambda value: type(value) is list and all(map(item, value))
    if origin is dict:
        item = _checker(get_args(hint)[1])
        return lambda value: type(value) is dict and all(map(item, value.values()))
    if hint is float:
        return lambda value: type(value) in (int, float)
    return lambda value: type(value) is hint


def encode(message: Message) -> bytes:
    """Return the message as a frame."""
    data = json.dumps({"kind": type(message).__name__.lower(), **message._asdict()}).encode()
    return len(data).to_bytes(_HEADER, "big") + data


def decode(data: bytes) -> Message:
    """Return the message in a frame's JSON.

    Raises:
        BadFrame: it is not JSON, of no known kind, or its fields are not that kind's.
    """
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BadFrame(f"a frame of {len(data)} bytes is not JSON") from error
    if not isinstance(content, dict):
        raise BadFrame("a frame is not a JSON object")
    kind = str(content.pop("kind", None))
    cls = _KINDS.get(kind)
    if cls is None:
        raise BadFrame("a frame is of no known kind")
    if kind not in _SCHEMAS:
        hints = get_type_hints(cls)
        _SCHEMAS[kind] = {name: _checker(hint) for name, hint in hints.items()}
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
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.settimeout(timeout)
        self._socket = connection
        # Not threading's, which is a lock in lab time inside a host.
        self._sending = _thread.allocate_lock()
        self._held: bytearray = bytearray()
        self._buffer = bytearray()
        self.received = 0
        """How many bytes have come so far."""

    def fileno(self) -> int:
        return self._socket.fileno()

    def hold(self, message: Message) -> None:
        """Keep the message back until the next `send`, so that both leave in one write.

        Raises:
            LinkClosed: so much was held back that it was sent, and the far side is gone.
        """
        with self._sending:
            self._held += encode(message)
            if len(self._held) > _HELD_LIMIT:
                self._flush()

    def send(self, message: Message) -> None:
        """Send what was held back, then this message.

        Raises:
            LinkClosed: the far side is gone.
        """
        with self._sending:
            self._held += encode(message)
            self._flush()

    def _flush(self) -> None:
        data, self._held = self._held, bytearray()
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise LinkClosed(str(error)) from error

    def next(self) -> Message | None:
        """Take the next message out of what has been received, if it is complete.

        Raises:
            BadFrame: what was received is not a frame.
        """
        if len(self._buffer) < _HEADER:
            return None
        size = int.from_bytes(self._buffer[:_HEADER], "big")
        if size > FRAME_LIMIT:
            raise BadFrame(f"a frame of {size} bytes is over the limit of {FRAME_LIMIT}")
        if len(self._buffer) < _HEADER + size:
            return None
        frame = bytes(self._buffer[_HEADER : _HEADER + size])
        del self._buffer[: _HEADER + size]
        return decode(frame)

    def fill(self) -> None:
        """Wait for more bytes.

        Raises:
            LinkClosed: the far side is gone.
        """
        try:
            data = self._socket.recv(_PIECE)
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
        while (message := self.next()) is None:
            self.fill()
        return message

    def close(self) -> None:
        self._socket.close()


def dial(port: int, hello: Hello) -> Link:
    """Connect to the checks' side on this machine and say who is calling."""
    link = Link(socket.create_connection(("127.0.0.1", port)))
    link.send(hello)
    return link
