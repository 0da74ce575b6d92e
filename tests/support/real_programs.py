"""Programs on the wall clock, in a fork of a warm interpreter or in a fresh one."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from ml_api_lab.sandbox.clock import WallClock
from ml_api_lab.sandbox.hosts.host_pool import HostPool
from ml_api_lab.sandbox.real_process import Process
from ml_api_lab.sandbox.transcript import Transcript
from tests.support.toy import LIMIT

ENVIRONMENT = {"PATH": os.defpath, "PYTHONUTF8": "1", "TZ": "UTC"}


def run(folder: Path, command: list[str], pool: HostPool | None, **env: str) -> tuple[int, str]:
    """Run a command to its end; return its exit status and what it printed."""
    transcript = Transcript(folder, folder, folder.name)
    process = Process(command, folder, {**ENVIRONMENT, **env}, transcript, WallClock(LIMIT), pool)
    give_up = time.monotonic() + LIMIT
    while process.status is None and time.monotonic() < give_up:
        time.sleep(0.01)
    status = process.status
    assert status is not None
    printed = process.output
    process.close()
    return status, printed


def started(folder: Path, pool: HostPool | None) -> Process:
    """Start main.py there, in a fork if there is a pool."""
    transcript = Transcript(folder, folder, "here")
    command = [sys.executable, "main.py"]
    return Process(command, folder, ENVIRONMENT, transcript, WallClock(LIMIT), pool)


def write(folder: Path, source: str) -> None:
    lines = source.strip("\n").splitlines()
    indent = len(lines[0]) - len(lines[0].lstrip())
    text = "\n".join(line[indent:] for line in lines) + "\n"
    (folder / "main.py").write_text(text, encoding="utf-8")
    (folder / "helper.py").write_text("NAME = 'mine'\n", encoding="utf-8")
