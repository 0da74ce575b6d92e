"""The Python that runs the lab: whether it is one in which checks mean what they say."""

from __future__ import annotations

import re
import socket
import sys
import tomllib
from importlib import metadata
from pathlib import Path

from ml_api_lab.errors import WrongEnvironment

_NAME = re.compile(r"[\w.-]+")
_CONNECT_TIMEOUT_SECONDS = 10.0


def require_assertions() -> None:
    """Look whether this Python executes assertions.

    Raises:
        WrongEnvironment: it does not, so that every check would pass.
    """
    if sys.flags.optimize:
        raise WrongEnvironment(
            "Checks are assertions, and Python removes assertions when it runs with -O or with "
            "PYTHONOPTIMIZE; run pytest without them."
        )


def require_loopback() -> None:
    """Look whether two processes of this machine can connect to each other.

    Raises:
        WrongEnvironment: they cannot, as in a sandbox whose network is down.
    """
    try:
        with (
            socket.create_server(("127.0.0.1", 0)) as server,
            socket.create_connection(server.getsockname(), _CONNECT_TIMEOUT_SECONDS),
        ):
            pass
    except OSError as error:
        raise WrongEnvironment(
            f"Nothing can connect to 127.0.0.1 here ({error.strerror or error}), and the lab's "
            "processes speak with each other in that way; bring the loopback network up."
        ) from error


def require_dependencies(project: Path) -> None:
    """Look for the packages that the project in that folder depends on.

    Raises:
        WrongEnvironment: some are not installed, as in an environment of something else.
    """
    if names := missing(project):
        raise WrongEnvironment(
            f"{sys.executable} runs the lab, and has no {', '.join(names)}; activate the "
            f'environment in which the lab is set up, or run: python -m pip install -e "{project}"'
        )


def missing(project: Path) -> list[str]:
    """Return the packages that a project depends on and that are not installed."""
    try:
        content = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError):
        return []  # pytest has its own settings from there, and says what is wrong with it
    needed = content.get("project", {}).get("dependencies", [])
    names = [found[0] for each in needed if (found := _NAME.match(each))]
    return [name for name in names if not _is_installed(name)]


def _is_installed(name: str) -> bool:
    try:
        metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return False
    return True
