"""A worker's processes: found at any depth, ended together, and none of anybody else's."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from ml_api_class.engines import process_tree
from tests.support.toy import LIMIT

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the tree is read on POSIX")

SLEEPS = "import time; time.sleep(600)"
HAS_A_CHILD = f"""
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", {SLEEPS!r}], start_new_session=True)
print("ready", flush=True)
time.sleep(600)
"""


@pytest.fixture
def parent() -> Iterator[subprocess.Popen[str]]:
    """A process that has started another one, in a session of that one's own."""
    process = subprocess.Popen(
        [sys.executable, "-c", HAS_A_CHILD], stdout=subprocess.PIPE, encoding="utf-8"
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    yield process
    process_tree.kill(process.pid)
    process.wait()
    process.stdout.close()


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_all_below_are_found(parent: subprocess.Popen[str]) -> None:
    me = os.getpid()
    (child,) = process_tree.children(parent.pid)
    assert parent.pid in process_tree.children(me)
    assert child not in process_tree.children(me)
    assert {parent.pid, child} <= set(process_tree.children(me, recursive=True))


def test_a_tree_is_killed_whole(parent: subprocess.Popen[str]) -> None:
    (child,) = process_tree.children(parent.pid)
    process_tree.kill(parent.pid)
    parent.wait(LIMIT)
    until(lambda: process_tree.began(child) is None)


def test_what_is_below_is_killed_and_the_process_itself_is_not(
    parent: subprocess.Popen[str],
) -> None:
    (child,) = process_tree.children(parent.pid)
    process_tree.kill_below(parent.pid)
    assert process_tree.began(child) is None
    assert parent.poll() is None


@pytest.mark.skipif(sys.platform != "linux", reason="Linux tells it")
def test_memory_and_beginning_are_told(parent: subprocess.Popen[str]) -> None:
    assert process_tree.memory(parent.pid) > 2**20
    assert process_tree.began(parent.pid) == process_tree.began(parent.pid)
    assert process_tree.began(os.getpid()) != process_tree.began(parent.pid)
    assert (process_tree.began(999_999_999), process_tree.memory(999_999_999)) == (None, 0)


def test_known_children_are_no_orphans(parent: subprocess.Popen[str]) -> None:
    known = set(process_tree.children(os.getpid()))
    other = subprocess.Popen([sys.executable, "-c", SLEEPS])
    process_tree.end_orphans(known)
    assert other.wait(LIMIT) is not None
    assert parent.poll() is None
