"""A real engine (Docker) that builds and runs the image, for those who ask with `--docker`."""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Mapping
from pathlib import Path

from ml_api_lab.errors import CourseError, SubmissionFault
from ml_api_lab.images.container import Container, Launch, answers_http, write_stand_in_package
from ml_api_lab.images.image import Image
from ml_api_lab.sandbox.real_process import Process, free_port

_BUILD_TIMEOUT_SECONDS = 1800.0
_CALL_TIMEOUT_SECONDS = 60.0


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
            reason = f"it does not answer within {_CALL_TIMEOUT_SECONDS:g} s"
        else:
            if asked.returncode == 0:
                return
            reason = _last_line(asked.stderr).partition(". ")[0].rstrip(".") or "none answers"
        raise CourseError(
            f"--docker needs a running Docker engine, and there is none here ({reason}); "
            "start one, or leave the option out."
        )

    def build(self, image: Image, folder: Path, workspace: Path, launch: Launch) -> DockerContainer:
        """Build the image of that folder, and return a container of it that is yet to start.

        Raises:
            SubmissionFault: it cannot be built.
        """
        name = f"ml-api-lab-{secrets.token_hex(6)}"
        try:
            built = self.call(
                "build", "--tag", name, str(folder), timeout_seconds=_BUILD_TIMEOUT_SECONDS
            )
        except subprocess.TimeoutExpired:
            raise SubmissionFault(
                f"docker build took more than {_BUILD_TIMEOUT_SECONDS:g} s."
            ) from None
        if built.returncode != 0:
            raise SubmissionFault(f"docker build failed: {_last_line(built.stderr).rstrip('.')}.")
        self._images.append(name)
        return DockerContainer(self, image, name, workspace, launch)

    def run_command(self, *words: str) -> list[str]:
        """Return the words of a `docker run`."""
        return [self._program, "run", "--rm", *words]

    def close(self) -> None:
        """Remove the images that were built; the engine keeps its cache of their layers."""
        for name in self._images:
            self.call("image", "rm", "--force", name)
        self._images.clear()

    def call(
        self, *words: str, timeout_seconds: float = _CALL_TIMEOUT_SECONDS
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self._program, *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=timeout_seconds,
            check=False,
        )


class DockerContainer(Container):
    """A container of a real engine."""

    start_timeout_seconds = 120.0

    def __init__(
        self, engine: Engine, image: Image, name: str, workspace: Path, launch: Launch
    ) -> None:
        super().__init__()
        self._engine = engine
        self._image = image
        self._name = name
        self._workspace = workspace
        self._launch = launch
        self._mounts = [f"{write_stand_in_package(workspace)}:/lab:ro"]

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

    def _ended_early(self, status: int) -> str:
        return f"The container ended with exit status {status} before it answered."

    def _silent(self) -> str:
        return "The container did not answer"

    async def is_reachable(self) -> bool | None:
        return await answers_http("127.0.0.1", self._port)

    async def stop(self, timeout_seconds: float) -> bool:
        self._engine.call("kill", "--signal", self._image.final.stop_signal, self._name)
        has_ended = await self.process.wait_for_exit(timeout_seconds) is not None
        if not has_ended:
            self._engine.call("kill", self._name)
        return has_ended


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""
