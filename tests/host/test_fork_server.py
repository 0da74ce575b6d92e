"""What submissions leave behind: processes, which the fork server finds and ends."""

from __future__ import annotations

import os
import sys
import time

import pytest

from ml_api_lab.sandbox.clock import Clock
from ml_api_lab.task import Task
from tests.support.faults import NO_REST, Fault, each_fault, each_fault_without_forks
from tests.support.toy import LIMIT, Scenes

FAULTS = {
    "leaves a child": Fault(
        "import subprocess, sys\n"
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(999)'])\nsys.exit(3)",
        "The exit status is 3; 0 is right.",
        also_without_forks=True,
    ),
    "leaves a daemon": Fault(
        "import os, time, sys\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    if os.fork() == 0:\n"
        "        import subprocess; subprocess.run(['sleep', '999'], close_fds=False)\n"
        "    os._exit(0)\n"
        "os.wait(); sys.exit(3)",
        "The exit status is 3; 0 is right.",
        is_posix_only=True,
    ),
    "forks and forks": Fault(
        "import os, time, sys\nfor _ in range(5):\n    os.fork()\nwhile True: pass",
        f"The script main.py {NO_REST}",
        is_posix_only=True,
    ),
}


test_fault = each_fault(FAULTS)
test_fault_without_forks = each_fault_without_forks(FAULTS)


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
