"""What a group of processes tells of itself (Linux tells most)."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from ml_api_lab.protocol.process_groups import (
    are_at_work,
    command_line,
    has_members,
    running_members,
)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

_MOST_SECONDS = 30.0


@pytest.fixture
def group() -> Iterator[subprocess.Popen[str]]:
    """A process that leads a group and waits for its input, with a helper that does the same."""
    source = (
        "import os, sys; helper = os.fork(); helper and print(helper, flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", source]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as leader:
        yield leader


def _comes_to_rest(number: int) -> bool:
    give_up = time.monotonic() + _MOST_SECONDS
    while are_at_work(running_members(number)):
        if time.monotonic() > give_up:
            return False
        time.sleep(0.01)
    return True


def test_the_members_of_a_group_are_found_and_no_others(group: subprocess.Popen[str]) -> None:
    assert group.stdout is not None
    helper = int(group.stdout.readline())
    assert sorted(running_members(group.pid)) == sorted([group.pid, helper])
    assert os.getpid() not in running_members(group.pid)
    assert command_line(helper).startswith(f"{os.path.basename(sys.executable)} -c")


def test_a_group_that_waits_is_not_at_work(group: subprocess.Popen[str]) -> None:
    assert group.stdout is not None
    group.stdout.readline()
    assert _comes_to_rest(group.pid)
    assert has_members(group.pid)


def test_who_asks_is_at_work() -> None:
    assert are_at_work(running_members(os.getpgrp()))
    assert not are_at_work([])


def test_a_group_of_those_that_have_ended_has_no_member() -> None:
    source = "import sys; sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", source], stdin=subprocess.PIPE, start_new_session=True
    ) as leader:
        assert has_members(leader.pid)
        assert leader.stdin is not None
        leader.stdin.close()
        # It has ended, and nobody has collected it.
        os.waitid(os.P_PID, leader.pid, os.WEXITED | os.WNOWAIT)
        assert not has_members(leader.pid)
        assert running_members(leader.pid) == []
