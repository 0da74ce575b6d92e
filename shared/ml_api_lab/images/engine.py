"""A real engine (Docker) that builds and runs the image, for those who ask with `--docker`."""

from __future__ import annotations

import asyncio
import os
import secrets
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from ml_api_lab.errors import CourseError, SubmissionFault
from ml_api_lab.images.image import Image
from ml_api_lab.images.layout import Launch, answers, standin_package
from ml_api_lab.sandbox.process import Process, free_port

_BUILD_LIMIT = 1800.0
_START_LIMIT = 120.0
_CALL_LIMIT = 60.0


class Engine:
    """A Docker engine, through its command line."""

    def __init__(self, program: str = "docker") -> None:
        """Find the engine.

        Raises:
            CourseError: there is none.
        """
        self._program = program
        self._images: list[str] = []
        try:
            asked = self.call("version", "--format", "{{.Server.Version}}")
        except FileNotFoundError:
            reason = f"the program {program} is not installed"
        except subprocess.TimeoutExpired:
            reason = f"it does not answer within {_CALL_LIMIT:g} s"
        else:
            if asked.returncode == 0:
                return
            reason = _last_line(asked.stderr).partition(". ")[0].rstrip(".") or "none answers"
        raise CourseError(
            f"--docker needs a running Docker engine, and there is none here ({reason}); "
            "start one, or leave the option out."
        )

    def build(self, image: Image, folder: Path, workspace: Path, launch: Launch) -> Contained:
        """Build the image of that folder, and return a container of it that is yet to start.

        Raises:
            SubmissionFault: it cannot be built.
        """
        name = f"ml-api-lab-{secrets.token_hex(6)}"
        try:
            built = self.call("build", "--tag", name, str(folder), limit=_BUILD_LIMIT)
        except subprocess.TimeoutExpired:
            raise SubmissionFault(f"docker build took more than {_BUILD_LIMIT:g} s.") from None
        if built.returncode != 0:
            raise SubmissionFault(f"docker build failed: {_last_line(built.stderr).rstrip('.')}.")
        self._images.append(name)
        return Contained(self, image, name, workspace, launch)

    def run_command(self, *words: str) -> list[str]:
        """Return the words of a `docker run`."""
        return [self._program, "run", "--rm", *words]

    def close(self) -> None:
        """Remove the images that were built; the engine keeps its cache of their layers."""
        for name in self._images:
            self.call("image", "rm", "--force", name)
        self._images.clear()

    def call(self, *words: str, limit: float = _CALL_LIMIT) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self._program, *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=limit,
            check=False,
        )


class Contained:
    """A real container."""

    lacks: str | None = None

    def __init__(
        self, engine: Engine, image: Image, name: str, workspace: Path, launch: Launch
    ) -> None:
        self.url = ""
        self._engine = engine
        self._image = image
        self._name = name
        self._workspace = workspace
        self._launch = launch
        self._mounts = [f"{standin_package(workspace)}:/lab:ro"]
        self._process: Process | None = None
        self._port = 0

    def mount(self, folder: Path) -> str:
        inside = f"/mounted-{len(self._mounts)}"
        self._mounts.append(f"{folder.resolve()}:{inside}:ro")
        return inside

    def start(self, env: Mapping[str, str], port: int) -> Process:
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        search = [self._image.final.env.get("PYTHONPATH", ""), "/lab"]
        given = {**env, "PYTHONPATH": ":".join(each for each in search if each)}
        # Found as it was found before: the submission's own environment goes in by --env.
        engine = {
            name: value
            for name, value in os.environ.items()
            if name.startswith("DOCKER_") or name == "XDG_RUNTIME_DIR"
        }
        words = ["--name", self._name, "--publish", f"127.0.0.1:{self._port}:{port}"]
        for mount in self._mounts:
            words += ["--volume", mount]
        for name, value in given.items():
            words += ["--env", f"{name}={value}"]
        command = self._engine.run_command(*words, self._name)
        self._process = self._launch(command, self._workspace.parent, engine)
        return self._process

    async def listening(self) -> None:
        assert self._process is not None
        began = time.monotonic()
        while time.monotonic() - began < _START_LIMIT:
            if await answers("127.0.0.1", self._port):
                return
            if self._process.status is not None:
                raise SubmissionFault(
                    f"The container ended with exit status {self._process.status} before it "
                    "answered."
                )
            await asyncio.sleep(0.1)
        raise SubmissionFault(f"The container did not answer within {_START_LIMIT:g} s.")

    async def reachable(self) -> bool | None:
        return await answers("127.0.0.1", self._port)

    async def stopped(self, limit: float) -> bool:
        assert self._process is not None
        self._engine.call("kill", "--signal", self._image.final.stop_signal, self._name)
        ended = await self._process.ended(limit) is not None
        if not ended:
            self._engine.call("kill", self._name)
        return ended


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""
