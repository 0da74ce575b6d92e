"""The processes beside the checks: taken by several threads, and lost by what submissions do."""

from __future__ import annotations

import os
import select
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from ml_api_lab.errors import HarnessError
from ml_api_lab.sandbox.hosts import host_pool, interpreter
from ml_api_lab.sandbox.hosts.host_pool import HostPool
from tests.support.faults import SERVE, SPEAK_ON_LINK, Fault, app, each_fault
from tests.support.toy import LIMIT

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


def test_as_many_wait_as_were_taken_before(hosts: HostPool) -> None:
    def take() -> int:
        link, pid = hosts.acquire()
        link.close()
        return pid

    first = {take() for _ in range(3)}
    assert len(hosts._starting) == 1
    hosts.refill()
    assert len(hosts._starting) == 3
    hosts.refill()  # none was taken since
    assert len(hosts._starting) == 3
    assert len(first | {take() for _ in range(3)}) == 6
    assert len(hosts._starting) == 1


@posix
def test_a_host_that_has_connected_outlives_its_fork_server() -> None:
    """A submission may have ended the server between the host's start and its turn."""
    hosts = HostPool("lab")
    try:
        taken = [hosts.acquire()]
        # The next is on its way already, and connects by itself.
        assert select.select([hosts._listener], [], [], LIMIT)[0]
        assert hosts._server is not None
        hosts._server.kill()
        hosts._server.wait()
        taken.append(hosts.acquire())
        assert len({pid for _, pid in taken}) == 2
        for link, _ in taken:
            link.close()
    finally:
        hosts.close()


@posix
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_fork_server_that_is_gone_is_replaced(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A submission can do this to its parent; the next one is to notice nothing."""
    monkeypatch.setattr(host_pool, "_FORK_TIMEOUT_SECONDS", 1)
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
    monkeypatch.setitem(interpreter._SINGLE_THREADED, "PYTHONHOME", os.devnull)
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


CALL_LAB = f"""{SPEAK_ON_LINK}
calls = []
def call(data=b''):
    calls.append(socket.create_connection(link().getpeername()))
    calls[-1].sendall(data)
    return calls[-1]
"""


FAULTS = {
    "calls the lab and hangs up": Fault(
        app("for _ in range(8): call().close()\nraise KeyError", CALL_LAB),
        "The status is wrong.",
        SERVE,
    ),
    "calls the lab and says nothing": Fault(
        app("for _ in range(8): call()\nraise KeyError", CALL_LAB),
        "The status is wrong.",
        SERVE,
    ),
    "calls the lab and says nothing that it knows": Fault(
        app("for _ in range(8): call(frame(b'hello')).close()\nraise KeyError", CALL_LAB),
        "The status is wrong.",
        SERVE,
    ),
    "calls the lab as its fork server": Fault(
        app(
            "hello = {'kind': 'hello', 'token': sys.orig_argv[4], 'pid': os.getppid()}\n"
            "for _ in range(8): call(frame(json.dumps(hello).encode())).close()\n"
            "raise KeyError",
            CALL_LAB,
        ),
        "The status is wrong.",
        SERVE,
    ),
}


test_fault = each_fault(FAULTS)
