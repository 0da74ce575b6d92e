"""The processes beside the checks: taken by several threads, and lost by what submissions do."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from ml_api_lab.errors import HarnessError, SubmissionFault
from ml_api_lab.sandbox import host_pool as module
from ml_api_lab.sandbox.clock import Clock
from ml_api_lab.sandbox.host_pool import HostPool
from ml_api_lab.task import Task
from tests.support.toy import LIMIT, Scenes

posix = pytest.mark.skipif(os.name != "posix", reason="a fork server's signals are POSIX's")
KINDS = [pytest.param(True, marks=posix, id="forked"), pytest.param(False, id="fresh")]


@pytest.fixture(params=KINDS)
def hosts(request: pytest.FixtureRequest) -> Iterator[HostPool]:
    hosts = HostPool("lab", fork=request.param)
    yield hosts
    hosts.close()


def test_threads_take_hosts_of_their_own(hosts: HostPool) -> None:
    together = threading.Barrier(3, timeout=LIMIT)

    def take(_: int) -> int:
        together.wait()
        link, pid = hosts.acquire()
        link.close()
        return pid

    with ThreadPoolExecutor(3) as pool:
        pids = list(pool.map(take, range(3)))
    assert len(set(pids)) == 3
    for pid in pids:
        assert hosts.wait_for_exit(pid, LIMIT) == 1  # what a host ends with when its link is closed


@posix
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_fork_server_that_is_gone_is_replaced(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A submission can do this to its parent; the next one is to notice nothing."""
    monkeypatch.setattr(module, "_FORK_TIMEOUT_SECONDS", 1)
    hosts = HostPool("lab")
    try:
        taken = [hosts.acquire() for _ in range(2)]
        assert hosts._server is not None
        os.kill(hosts._server.pid, number)
        # The first of them may have been forked before.
        taken += [hosts.acquire() for _ in range(3)]
        assert len({pid for _, pid in taken}) == 5
    finally:
        hosts.close()
    for link, _ in taken:
        link.close()


def test_a_host_that_does_not_start_says_why() -> None:
    hosts = HostPool("lab", ("no_such_module",))
    try:
        with pytest.raises(HarnessError, match="No module named 'no_such_module'"):
            hosts.acquire()
    finally:
        hosts.close()


@pytest.mark.parametrize("fork", KINDS)
def test_an_interpreter_that_ends_at_once_is_not_waited_for(
    fork: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in an environment that is broken; a host may otherwise take two minutes to start."""
    monkeypatch.setitem(module._SINGLE_THREADED, "PYTHONHOME", os.devnull)
    hosts = HostPool("lab", fork=fork)
    try:
        with pytest.raises(HarnessError, match="No module named 'encodings'"):
            hosts.acquire()
    finally:
        hosts.close()


@posix
def test_only_the_last_traceback_is_told() -> None:
    """A fork server is tried twice, and once more for each check."""
    hosts = HostPool("lab", ("no_such_module",))
    try:
        for _ in range(2):
            with pytest.raises(HarnessError) as raised:
                hosts.acquire()
        assert str(raised.value).count("Traceback") == 1
    finally:
        hosts.close()


def test_an_import_may_make_a_pair_of_sockets(scripts: Scenes) -> None:
    """On Windows that is Python's own code, which listens; each new event loop has such a pair."""
    source = f"""
        import socket
        code = "def socketpair():\\n one = socket(); one.bind(('127.0.0.1', 0)); one.listen(1)"
        names = {{"socket": socket.socket}}
        exec(compile(code, {socket.__file__!r}, "exec"), names)
        names["socketpair"]()
        print("a pair")
        with socket.socket() as server:
            server.listen()
    """

    async def scene(task: Task, _: object) -> tuple[str, str]:
        try:
            await task.load()
        except SubmissionFault as fault:
            return str(fault), task.transcript.lines[0].text
        return "", ""

    said, printed = scripts.play(source, scene)
    assert printed == "a pair"
    assert "a server was started while the file was imported" in said


HELPED = """
import os
import subprocess

from fastapi import FastAPI

app = FastAPI()
# A helper whose own parent is gone, so that it is the fork server's child.
subprocess.run(["sh", "-c", "sleep 300 & echo $! > helper.pid"])


@app.get("/")
async def lives():
    try:
        os.kill(int(open("helper.pid").read()), 0)
    except ProcessLookupError:
        return False
    return True
"""


@pytest.mark.skipif(sys.platform != "linux", reason="orphans are handed over on Linux alone")
def test_a_hosts_end_leaves_another_hosts_helpers_alone(apps: Scenes) -> None:
    async def scene(task: Task, clock: Clock) -> int:
        task.files.write("other.py", "")
        async with task.serve() as client:
            for _ in range(2):
                await task.run("other.py")  # its host has ended by the next answer but one
            assert (await client.get("/")).json() is True
            return int(task.files.text("helper.pid"))

    helper = apps.play(HELPED, scene)
    ended = apps.play("", _nothing)  # another host, whose coming says that the first is swept
    assert ended == 0
    give_up = time.monotonic() + LIMIT
    while _lives(helper):
        assert time.monotonic() < give_up
        time.sleep(0.01)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def _nothing(task: Task, clock: Clock) -> int:
    return (await task.run("main.py")).status
