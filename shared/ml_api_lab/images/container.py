"""An image at work, as a check sees it, whatever runs it: files laid out here, or an engine."""

from __future__ import annotations

import asyncio
import shutil
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ml_api_lab.errors import SubmissionFault
from ml_api_lab.images import published_port
from ml_api_lab.sandbox.real_process import Process

Launch = Callable[[Sequence[str], Path, Mapping[str, str]], Process]
"""Starts a process: its command, the folder in which it runs, and its environment."""

_POLL_SECONDS = 0.05
_ANSWER_TIMEOUT_SECONDS = 5
_STAND_IN_FILES = ("__init__.py", "protocol/__init__.py", "protocol/stand_in.py")


class Container(ABC):
    """What a check may do with an image at work.

    Attributes:
        url: where it answers from outside.
        missing_tool: a tool that its start command needs and that is not here, so that it cannot
            be run.
    """

    start_timeout_seconds: float

    def __init__(self) -> None:
        self.url = ""
        self.missing_tool: str | None = None
        self._process: Process | None = None
        self._port = 0

    @abstractmethod
    def mount(self, folder: Path) -> str:
        """Show it a folder; return the folder's name inside."""

    @abstractmethod
    def start(self, env: Mapping[str, str], port: int) -> Process:
        """Run its start command, with these variables over its own.

        Args:
            port: where it should listen.
        """

    async def wait_until_listening(self) -> None:
        """Wait until it answers.

        Raises:
            SubmissionFault: it ended before, or does not.
        """
        give_up = time.monotonic() + self.start_timeout_seconds
        while time.monotonic() < give_up:
            if await answers_http("127.0.0.1", self._port):
                return
            if (status := self.process.status) is not None:
                raise SubmissionFault(self._ended_early(status))
            if wrong := await self._wrong_port():
                raise SubmissionFault(wrong)
            await asyncio.sleep(_POLL_SECONDS)
        raise SubmissionFault(f"{self._silent()} within {self.start_timeout_seconds:g} s.")

    @property
    def process(self) -> Process:
        """The process that was started."""
        assert self._process is not None
        return self._process

    @abstractmethod
    def _ended_early(self, status: int) -> str:
        """Say that it has ended before it answered."""

    @abstractmethod
    def _silent(self) -> str:
        """Say that it has not answered, for a sentence that goes on with the time."""

    async def _wrong_port(self) -> str | None:
        """Say that it listens on another port, None if that is not so or cannot be told."""
        return None

    @abstractmethod
    async def is_reachable(self) -> bool | None:
        """Whether others than itself can reach it, None if that cannot be told here."""

    @abstractmethod
    async def stop(self, timeout_seconds: float) -> bool:
        """Send its signal to stop; return whether all of it has then ended in time."""


async def answers_http(address: str, port: int) -> bool:
    """Whether something answers HTTP there.

    A connection alone says little: an engine's own proxy accepts it for whoever will listen.
    """
    try:
        async with asyncio.timeout(_ANSWER_TIMEOUT_SECONDS):
            reader, writer = await asyncio.open_connection(address, port)
            try:
                writer.write(b"GET /health HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n")
                return bool(await reader.read(1))
            finally:
                writer.close()
    except OSError:
        return False


def write_stand_in_package(folder: Path) -> Path:
    """Write what a start command finds of the lab beside a folder; return where.

    A start command runs beside nothing of the lab, but the stand-in models are of a class of its.
    """
    package = folder.parent / f"{folder.name}-lab"
    source = Path(__file__).parents[1]
    for name in _STAND_IN_FILES:
        target = package / source.name / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, target)
    shutil.copyfile(published_port.__file__, package / "sitecustomize.py")
    return package
