"""The link: whatever is no message is refused, and whatever is one arrives as it was sent."""

from __future__ import annotations

import json
import random
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from ml_api_lab.protocol import link
from ml_api_lab.protocol.link import BadFrame, Link, LinkClosed
from ml_api_lab.protocol.messages import AskModel, Beat, Body, Grant, Head, Idle, Message, Problem
from tests.support.faults import (
    ASKED,
    SERVE,
    SPEAK_ON_LINK,
    Fault,
    app,
    each_fault,
    each_fault_without_forks,
)

MESSAGES: list[Message] = [
    Beat(),
    Body(3, "aGVsbG8=", False),
    Grant(10**15),
    Head(1, 200, [["content-type", "text/plain"], ["x", ""]]),
    Idle(None),
    Idle(2_000_000_000),
    AskModel(7, "4f", [[5.1, 3, -0.0, 1e308], []]),
    Problem("import", 0, "KeyError", "'\u2603\U0001f600\ud800'", [["main.py", "3", "f", "x = 1"]]),
]


@pytest.fixture
def ends() -> Iterator[tuple[Link, socket.socket]]:
    """A link, and the bare socket at its far end."""
    listener = socket.create_server(("127.0.0.1", 0))
    far = socket.create_connection(listener.getsockname())
    near, _ = listener.accept()
    listener.close()
    one = Link(near, timeout=60)
    yield one, far
    one.close()
    far.close()


def frame(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


@pytest.mark.parametrize("message", MESSAGES, ids=lambda each: type(each).__name__)
def test_a_message_arrives_as_it_was_sent(message: Any) -> None:
    assert link.decode(link.encode(message)[4:]) == message
    assert type(link.decode(link.encode(message)[4:])) is type(message)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "a frame of 0 bytes is not JSON"),
        (b"{", "a frame of 1 bytes is not JSON"),
        (b"\xff\xfe", "a frame of 2 bytes is not JSON"),
        (b"[" * 10**5, "a frame of 100000 bytes is not JSON"),
        (b"1" * 10**4, "a frame of 10000 bytes is not JSON"),
        (b"[]", "a frame is not a JSON object"),
        (b"null", "a frame is not a JSON object"),
        (b"{}", "a frame is of no known kind"),
        (b'{"kind": "nothing"}', "a frame is of no known kind"),
        (b'{"kind": ["beat"]}', "a frame is of no known kind"),
        (b'{"kind": "Beat"}', "a frame is of no known kind"),
        (b'{"kind": "message"}', "a frame is of no known kind"),
        (b'{"kind": "beat", "more": 1}', "a Beat has the wrong fields"),
        (b'{"kind": "idle"}', "a Idle has the wrong fields"),
        (b'{"kind": "idle", "next": 1.5}', "the field next of a Idle is not"),
        (b'{"kind": "idle", "next": true}', "the field next of a Idle is not"),
        (b'{"kind": "idle", "next": "1"}', "the field next of a Idle is not"),
        (b'{"kind": "idle", "next": NaN}', "the field next of a Idle is not"),
        (b'{"kind": "done", "status": null}', "the field status of a Done is not"),
        (b'{"kind": "paused", "inside": 1}', "the field inside of a Paused is not"),
        (
            b'{"kind": "waiting", "frames": [["a"], "b"], "reads": [], "knows_reads": true}',
            "the field frames of a Waiting is not",
        ),
        (
            b'{"kind": "waiting", "frames": [[1]], "reads": [], "knows_reads": true}',
            "the field frames of a Waiting is not",
        ),
        (
            b'{"kind": "waiting", "frames": {}, "reads": [], "knows_reads": true}',
            "the field frames of a Waiting is not",
        ),
    ],
)
def test_what_is_no_message(data: bytes, says: str) -> None:
    with pytest.raises(BadFrame, match=says):
        link.decode(data)


def test_a_fuzz_of_frames() -> None:
    """Anything is either a message of exactly its types, or a BadFrame; nothing else escapes."""
    draw = random.Random(20260105)
    values: list[object] = [
        None,
        True,
        0,
        -1,
        10**30,
        1.5,
        float("inf"),
        "",
        "x",
        [],
        [[]],
        [["a"]],
        {},
        {"a": 1},
    ]
    good = 0
    for _ in range(20_000):
        message = draw.choice(MESSAGES)
        data = bytearray(link.encode(message)[4:])
        match draw.randrange(4):
            case 0:  # other bytes
                for _ in range(draw.randint(1, 4)):
                    data[draw.randrange(len(data))] = draw.randrange(256)
            case 1:  # cut off, or with something behind
                data = data[: draw.randrange(len(data))] if draw.random() < 0.5 else data + b"}"
            case 2:  # other values
                content = json.loads(data)
                content[draw.choice(list(content))] = draw.choice(values)
                data = bytearray(json.dumps(content).encode())
            case _:  # other fields
                content = json.loads(data)
                content.pop(draw.choice(list(content)))
                content[draw.choice(["kind", "id", "next", "extra"])] = draw.choice(values)
                data = bytearray(json.dumps(content).encode())
        try:
            decoded = link.decode(bytes(data))
        except BadFrame:
            continue
        good += 1
        assert link.decode(link.encode(decoded)[4:]) == decoded or "NaN" in str(decoded)
    assert good > 100


def test_frames_arrive_in_pieces(ends: tuple[Link, socket.socket]) -> None:
    near, far = ends
    data = b"".join(map(link.encode, MESSAGES))

    def drip() -> None:
        for start in range(0, len(data), 7):
            far.sendall(data[start : start + 7])

    thread = threading.Thread(target=drip)
    thread.start()
    assert [near.receive() for _ in MESSAGES] == MESSAGES
    thread.join()
    assert near.next_message() is None
    values = len(MESSAGES) + data.count(b",") + data.count(b"[")
    assert near.received == len(data) + 64 * values


def test_a_frame_over_the_limit_is_refused_by_its_length(ends: tuple[Link, socket.socket]) -> None:
    """Not when all of it has come: it may never, or fill the memory."""
    near, far = ends
    far.sendall((link.FRAME_LIMIT_BYTES + 1).to_bytes(4, "big"))
    with pytest.raises(
        BadFrame, match=f"a frame of {link.FRAME_LIMIT_BYTES + 1} bytes is over the limit"
    ):
        near.receive()


def test_held_messages_leave_first(ends: tuple[Link, socket.socket]) -> None:
    near, far = ends
    near.send_later(Beat())
    near.send_later(Idle(1))
    near.send(Grant(5))
    other = Link(far)
    assert [other.receive() for _ in range(3)] == [Beat(), Idle(1), Grant(5)]
    near.send(Grant(6))
    assert other.receive() == Grant(6)


@pytest.mark.parametrize("last", [b"", b"\x00", frame(b"{}")[:-1]])
def test_the_far_side_goes(last: bytes, ends: tuple[Link, socket.socket]) -> None:
    near, far = ends
    far.sendall(link.encode(Beat()) + last)
    far.close()
    assert near.receive() == Beat()
    with pytest.raises(LinkClosed):
        near.receive()

    def send_on() -> None:
        for _ in range(100):
            near.send(Body(1, "x" * 10**6, True))

    with pytest.raises(LinkClosed):
        send_on()


def test_a_link_that_stays_silent(ends: tuple[Link, socket.socket]) -> None:
    _, far = ends
    far.settimeout(0)
    silent = Link(far, timeout=0.01)
    with pytest.raises(LinkClosed):
        silent.receive()


def test_sending_is_safe_from_any_thread(ends: tuple[Link, socket.socket]) -> None:
    near, far = ends
    other = Link(far)
    big = Body(1, "x" * 300_000, True)
    threads = [threading.Thread(target=near.send, args=(big,)) for _ in range(8)]
    for each in threads:
        each.start()
    assert [other.receive() for _ in threads] == [big] * 8
    for each in threads:
        each.join()


FAULTS = {
    "sends what is not JSON": Fault(
        app("link().sendall(frame(b'hello'))", SPEAK_ON_LINK),
        "The submission's process broke the link to the checks: a frame of 5 bytes is not JSON.",
        SERVE,
        also_without_forks=True,
    ),
    "sends a frame too large": Fault(
        app("link().sendall(b'\\x7f' * 8)", SPEAK_ON_LINK),
        "The submission's process broke the link to the checks: a frame of 2139062143 bytes is "
        "over the limit of 16777216.",
        SERVE,
    ),
    "sends deep JSON": Fault(
        app("link().sendall(frame(b'[' * 10**6))", SPEAK_ON_LINK),
        "The submission's process broke the link to the checks: a frame of 1000000 bytes is not",
        SERVE,
    ),
    "floods the link": Fault(
        app(
            """beats = frame(b'{"kind":"beat"}') * 1000\nto = link()\n"""
            "while True: to.sendall(beats)",
            SPEAK_ON_LINK,
        ),
        ASKED,
        SERVE,
        hangs=True,
    ),
}


test_fault = each_fault(FAULTS)
test_fault_without_forks = each_fault_without_forks(FAULTS)
