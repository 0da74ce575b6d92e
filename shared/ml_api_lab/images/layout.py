"""An image at work: its start command on a real socket.

Without an engine the image's files are laid out alone in a fresh folder and the start command runs
there, in this interpreter's environment: what `pip` would have installed is taken from here. Paths
into the image are translated to where its files lie, and the signal to stop goes to the first
process alone, as an engine sends it. What a container also has, a file system and a process number
of its own, is not imitated.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import re
import shlex
import shutil
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from ml_api_lab.errors import SubmissionFault
from ml_api_lab.images.image import Image
from ml_api_lab.sandbox.process import Process, other_address

Launch = Callable[[Sequence[str], Path, Mapping[str, str]], Process]

_START_LIMIT = 40.0
_SETTLED = 1.0
_RUNNERS = r"(?:uv|poetry|pdm|pipenv|hatch) run(?: +-[\w=.-]+)*"
_INITS = ("tini", "tini-static", "dumb-init", "catatonit")
_TOOLS = (*_INITS, "daphne", "gunicorn", "granian", "hypercorn", "fastapi")
_STAND_IN = ("__init__.py", "protocol/__init__.py", "protocol/stand_in.py")


class Container(Protocol):
    """What a check may do with an image at work.

    Attributes:
        url: where it answers from outside.
        lacks: a tool that its start command needs and that is not here, so that it cannot be run.
    """

    url: str
    lacks: str | None

    def mount(self, folder: Path) -> str:
        """Show it a folder; return the folder's name inside."""

    def start(self, env: Mapping[str, str], port: int) -> Process:
        """Run its start command, with these variables over its own.

        Args:
            port: where it should listen.
        """

    async def listening(self) -> None:
        """Wait until it answers.

        Raises:
            SubmissionFault: it ended before, or does not.
        """

    async def reachable(self) -> bool | None:
        """Whether others than itself can reach it, None if that cannot be told here."""

    async def stopped(self, limit: float) -> bool:
        """Send its signal to stop; whether it has then ended in time, with all it started."""


class Layout:
    """An image's files alone in a folder, and its start command there."""

    def __init__(self, image: Image, root: Path, launch: Launch) -> None:
        self.image = image
        self.url = ""
        self._root = root
        self._launch = launch
        self._process: Process | None = None
        self._port = 0
        image.lay_out(root)
        self._translate_scripts()
        self.lacks = self._missing_tool()

    def mount(self, folder: Path) -> str:
        return str(folder.resolve())

    def start(self, env: Mapping[str, str], port: int) -> Process:
        words = self._words()
        if not words:
            raise SubmissionFault("The image has no start command; CMD gives it one.")
        self.url = f"http://127.0.0.1:{port}"
        self._port = port
        try:
            self._process = self._launch(words, self._folder, {**self._environment(), **env})
        except OSError as error:
            raise SubmissionFault(
                f"The start command cannot be run: {self.image.start[0]}: {error.strerror}."
            ) from None
        return self._process

    async def listening(self) -> None:
        assert self._process is not None
        began = time.monotonic()
        while time.monotonic() - began < _START_LIMIT:
            if await answers("127.0.0.1", self._port):
                return
            if self._process.status is not None:
                raise SubmissionFault(
                    f"The start command ended with exit status {self._process.status} before it "
                    f"listened on port {self._port}."
                )
            elsewhere = re.search(r"https?://\S*?:(\d+)", self._process.output)
            if elsewhere and int(elsewhere[1]) != self._port:
                await asyncio.sleep(_SETTLED)
                if not await answers("127.0.0.1", self._port):
                    raise SubmissionFault(
                        f"It was to listen on port {self._port} and listens on {elsewhere[1]}."
                    )
            await asyncio.sleep(0.05)
        raise SubmissionFault(f"Nothing listened on port {self._port} within {_START_LIMIT:g} s.")

    async def reachable(self) -> bool | None:
        address = other_address()
        return None if address is None else await answers(address, self._port)

    async def stopped(self, limit: float) -> bool:
        assert self._process is not None
        self._process.signal(signal_named(self.image.final.stop_signal))
        give_up = time.monotonic() + limit
        ended = await self._process.ended(limit) is not None
        while ended and self._process.leftovers() and time.monotonic() < give_up:
            await asyncio.sleep(0.05)
        return ended and not self._process.leftovers()

    # --- the command, as it reads here ------------------------------------------------------------

    @property
    def _folder(self) -> Path:
        return self._root / self.image.final.workdir.lstrip("/")

    def _words(self) -> list[str]:
        words = list(self.image.start)
        if words and Path(words[0]).name in _INITS and shutil.which(words[0]) is None:
            rest = [i for i, word in enumerate(words[1:], 1) if not word.startswith("-")]
            words = words[rest[0] :] if rest else []
        if runner := re.match(_RUNNERS + r" +(?=[^-])", " ".join(words)):
            words = words[runner[0].count(" ") :]
            words = ["python", *words] if words[0].endswith(".py") else words
        words = [self._translated(re.sub(rf"\b{_RUNNERS} +(?=[^-])", "", word)) for word in words]
        return [*self._program(words[0]), *words[1:]] if words else []

    def _program(self, name: str) -> list[str]:
        if Path(name).is_absolute():
            return [name]
        return [str(self._folder / name) if "/" in name else _installed(name) or name]

    def _translated(self, text: str) -> str:
        """Return the text with every path into the image as it is here."""

        def here(found: re.Match[str]) -> str:
            path = found[0].rstrip("/") or "/"
            folder, _, name = path.rpartition("/")
            if path not in self.image.files and folder.endswith("/bin"):
                # A program that a RUN line or the base image put there.
                return _installed(name) or found[0]
            return f"{self._root}{found[0]}" if self._holds(path) else found[0]

        return re.sub(r"(?<![\w./:$}~-])/[\w.+-]+(?:/[\w.+-]*)*", here, text)

    def _holds(self, path: str) -> bool:
        own = self.image.final.folders - {"/", "/etc", "/usr", "/var", "/opt", "/home", "/srv"}
        own -= {"/mnt", "/root", "/tmp", "/usr/local", "/usr/local/bin"}
        return path in self.image.files or any(path == f or path.startswith(f"{f}/") for f in own)

    def _environment(self) -> dict[str, str]:
        values = {name: self._paths(value) for name, value in self.image.final.env.items()}
        inside = Path(sys.executable).parent
        values["PATH"] = os.pathsep.join([str(inside), os.environ.get("PATH", os.defpath)])
        search = [values["PYTHONPATH"]] if values.get("PYTHONPATH") else []
        values["PYTHONPATH"] = os.pathsep.join([*search, str(standin_package(self._root))])
        return values

    def _paths(self, value: str) -> str:
        return ":".join(self._translated(part) for part in value.split(":"))

    def _translate_scripts(self) -> None:
        for name, file in self.image.files.items():
            path = self._root / name.lstrip("/")
            content = path.read_bytes()
            if name.endswith(".sh") or re.match(rb"#!\S*(sh|env +\w*sh)\b", content):
                text = content.decode("utf-8", errors="surrogateescape")
                text = re.sub(rf"\b{_RUNNERS} +(?=[^-])", "", text)
                first, newline, rest = text.partition("\n")
                text = first + newline + self._translated(rest)
                path.write_bytes(text.encode("utf-8", errors="surrogateescape"))
                mentioned = any("chmod" in step.text for step in self.image.lines())
                if file.executable or mentioned:
                    path.chmod(0o755)

    def _missing_tool(self) -> str | None:
        words = self._words()
        if not words:
            return None
        spoken = set(self._spoken(words))
        for tool in _TOOLS:
            if tool in spoken and not _usable(tool):
                return tool
        if "/" not in words[0] and _installed(words[0]) is None:
            return words[0]
        return None

    def _spoken(self, words: list[str]) -> list[str]:
        """Return the names of the programs that may be called: words, shell text, a script's."""
        texts = [*words]
        for word in words:
            for path in (Path(word), self._folder / word):
                if path.is_file() and path.is_relative_to(self._root):
                    if path.suffix != ".py":
                        texts.append(path.read_text(encoding="utf-8", errors="replace"))
                    break
        return [Path(part).name for text in texts for part in _split(text)]


def standin_package(folder: Path) -> Path:
    """Write what a pickled stand-in needs in order to load, and return that folder.

    A start command runs beside nothing of the lab, but the stand-in models are of a class of its.
    """
    package = folder.parent / f"{folder.name}-lab"
    source = Path(__file__).parents[1]
    for name in _STAND_IN:
        target = package / source.name / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, target)
    return package


_SIGNALS = {"SIGHUP": 1, "SIGQUIT": 3, "SIGKILL": 9, "SIGUSR1": 10, "SIGUSR2": 12}
"""Signals that Linux has and Windows has not."""


def signal_named(name: str) -> int:
    """Return the number of a signal that `STOPSIGNAL` names.

    Raises:
        SubmissionFault: there is no such signal.
    """
    if name.isdigit():
        return int(name)
    full = name.upper() if name.upper().startswith("SIG") else f"SIG{name.upper()}"
    number = getattr(signal, full, _SIGNALS.get(full))
    if number is None:
        raise SubmissionFault(f"STOPSIGNAL {name} names no signal; SIGTERM is what Docker sends.")
    return int(number)


async def answers(address: str, port: int) -> bool:
    """Whether something answers HTTP there.

    A connection alone says little: an engine's own proxy accepts it for whoever will listen.
    """
    try:
        async with asyncio.timeout(5):
            reader, writer = await asyncio.open_connection(address, port)
            try:
                writer.write(b"GET /health HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n")
                return bool(await reader.read(1))
            finally:
                writer.close()
    except OSError:
        return False


def _installed(name: str) -> str | None:
    base = Path(name).name
    if re.fullmatch(r"python3?(\.\d+)?", base):
        return sys.executable
    beside = shutil.which(base, path=str(Path(sys.executable).parent))
    return beside or shutil.which(base)


def _usable(tool: str) -> bool:
    if tool == "fastapi" and importlib.util.find_spec("fastapi_cli") is None:
        return False
    return _installed(tool) is not None


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text, comments=True)
    except ValueError:
        return text.split()
