"""Where hosts call back: who is known is let in, and nobody else keeps them waiting."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator

import pytest

from ml_api_lab.protocol.link import dial, encode
from ml_api_lab.protocol.messages import Hello, Ready
from ml_api_lab.sandbox.hosts.listener import Listener
from tests.support.toy import LIMIT


@pytest.fixture(
    params=[
        False,
        pytest.param(True, marks=pytest.mark.skipif(os.name != "posix", reason="a local socket")),
    ],
    ids=["port", "file"],
)
def listener(request: pytest.FixtureRequest) -> Iterator[Listener]:
    listener = Listener(through_file=request.param)
    yield listener
    listener.close()


def call(listener: Listener, data: bytes) -> socket.socket:
    """Connect, and say that."""
    if listener.address.isdecimal():
        caller = socket.create_connection(("127.0.0.1", int(listener.address)))
    else:
        caller = socket.socket(socket.AF_UNIX)
        caller.connect(listener.address)
    caller.sendall(data)
    caller.settimeout(LIMIT)
    return caller


def test_who_shows_a_token_is_let_in_whatever_others_say(listener: Listener) -> None:
    unknown = encode(Hello("another", 1))
    hung_up_on = [call(listener, each) for each in (unknown, encode(Ready()), b"\xff" * 99)]
    silent = [call(listener, each) for each in (b"", unknown[:5])]
    link = dial(listener.address, Hello("ours", 7))
    try:
        caller = listener.next_caller({"ours"}, time.monotonic() + LIMIT)
        assert caller is not None
        assert caller[1] == Hello("ours", 7)
        caller[0].close()
        assert listener.next_caller({"ours"}, time.monotonic() + LIMIT) is None
        assert [each.recv(1) for each in hung_up_on] == [b"", b"", b""]
    finally:
        link.close()
        for each in [*hung_up_on, *silent]:
            each.close()


def test_nobody_is_waited_for_longer_than_was_asked(listener: Listener) -> None:
    assert listener.next_caller({"ours"}, time.monotonic()) is None


def test_its_folder_goes_with_it() -> None:
    if os.name != "posix":
        pytest.skip("a local socket")
    listener = Listener(through_file=True)
    folder = os.path.dirname(listener.address)
    assert os.path.isdir(folder)
    listener.close()
    assert not os.path.exists(folder)
