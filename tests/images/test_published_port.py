"""A container's port is its own: it never meets another's, nor what this machine has there."""

from __future__ import annotations

import http.server
import socket
import sys
import threading
from collections.abc import Iterator

import pytest

from ml_api_lab.images.container import Container
from ml_api_lab.task import Task
from tests.support.images import Images, get, port_of

posix = pytest.mark.skipif(sys.platform == "win32", reason="an engine's signals are POSIX's")


@pytest.fixture
def busy() -> Iterator[int]:
    """A port at which something answers, whatever address it is asked by."""
    server = http.server.HTTPServer(("0.0.0.0", 0), http.server.SimpleHTTPRequestHandler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


@posix
def test_a_port_that_is_taken_here_is_free_there(images: Images, busy: int) -> None:
    async def scene(task: Task, container: Container) -> None:
        container.start({"PORT": str(busy)}, busy)
        await container.wait_until_listening()
        assert port_of(container) != busy
        assert "inside" in await get(port_of(container))

    images.play(scene)


@posix
def test_two_containers_have_the_same_port(images: Images) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    async def scene(task: Task, container: Container) -> None:
        other = task.container(task.image())
        for each in (container, other):
            each.start({"PORT": str(port)}, port)
        for each in (container, other):
            await each.wait_until_listening()
            assert "inside" in await get(port_of(each))
        assert container.url != other.url

    images.play(scene)
