"""What a fork server rehearses before it forks."""

from __future__ import annotations

import subprocess
import sys
import threading

from ml_api_lab.host import preload
from ml_api_lab.protocol.messages import Body, Head, Message, Problem


def test_each_request_of_the_rehearsal_has_its_answer() -> None:
    """A rehearsal that fails on the way is one of little."""
    heard: list[Message] = []
    preload.rehearse(["fastapi"], heard.append)
    statuses = {message.id: message.status for message in heard if isinstance(message, Head)}
    assert [statuses[number] for number in sorted(statuses)] == [
        *(200, 200, 404),
        *(200, 404, 422, 401),
        200,
    ]
    complete = {each.id for each in heard if isinstance(each, Body) and not each.more}
    assert complete == statuses.keys()
    assert not any(isinstance(each, Problem) for each in heard)


def test_it_leaves_no_thread_which_a_fork_would_lack() -> None:
    before = set(threading.enumerate())
    preload.rehearse(["fastapi"])
    assert set(threading.enumerate()) == before


SERVER = """
import sys
from ml_api_lab.host import preload

preload.preload(["fastapi", "uvicorn"], for_sockets=True)
before = set(sys.modules)
import uvicorn

uvicorn.Config("json:dumps", log_config=None).load()
print(sorted(set(sys.modules) - before))
"""


def test_uvicorn_has_nothing_left_to_import_when_it_begins_to_serve() -> None:
    """Its parser of HTTP takes a server longer than all else."""
    ran = subprocess.run([sys.executable, "-c", SERVER], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
