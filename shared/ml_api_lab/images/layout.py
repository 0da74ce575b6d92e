"""A container without an engine: an image's start command, on a real socket.

The image's files are laid out alone in a fresh folder and the start command runs
there, in this interpreter's environment: what `pip` would have installed is taken from here. Paths
into the image are translated to where its files lie, and the signal to stop goes to the first
process alone, as an engine sends it. What a container also has, a file system and a process number
of its own, is not imitated; its port is published at another one, as an engine does.
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
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path, PurePosixPath

from ml_api_lab.errors import SubmissionFault
from ml_api_lab.images import published_port
from ml_api_lab.images.container import (
    Container,
    Launch,
    answers_http,
    write_stand_in_package,
)
from ml_api_lab.images.image import Image
from ml_api_lab.sandbox.real_process import Process, free_port, is_free_port, other_address

_SETTLE_SECONDS = 1.0
"""How long a server may take to listen on one more port."""

_SEARCHED_CHARACTERS = 20_000
"""How far into the output to look for the address that it announces."""

_MAX_SCRIPT_BYTES = 100_000
"""How large a script may be that is read for paths and programs."""

_POLL_SECONDS = 0.05
_RUNNERS = r"(?:uv|poetry|pdm|pipenv|hatch) run(?: +-[\w=.-]+)*"
_INITS = ("tini", "tini-static", "dumb-init", "catatonit")
_TOOLS = (*_INITS, "daphne", "gunicorn", "granian", "hypercorn", "fastapi")


class LocalContainer(Container):
    """An image's files alone in a folder, and its start command there."""

    start_timeout_seconds = 40.0

    def __init__(self, image: Image, root: Path, launch: Launch) -> None:
        super().__init__()
        self._inside_port, self._inside_is_free = 0, False
        self.image = image
        self._root = root
        self._launch = launch
        try:
            image.lay_out(root)
        except (OSError, ValueError) as error:
            raise SubmissionFault(
                f"The image's files cannot be laid out ({getattr(error, 'strerror', error)})."
            ) from None
        self._translate_scripts()
        self.missing_tool = self._find_missing_tool()

    def mount(self, folder: Path) -> str:
        return str(folder.resolve())

    def start(self, env: Mapping[str, str], port: int) -> Process:
        words = self._start_words()
        if not words:
            raise SubmissionFault("The image has no start command; CMD gives it one.")
        self._inside_port, self._inside_is_free = port, is_free_port(port)
        self._publish_at(free_port())
        published = {published_port.VARIABLE: f"{port}:{self._port}"}
        environment = {**self._environment(), **env, **published}
        try:
            self._process = self._launch(words, self._folder, environment)
        except OSError as error:
            raise SubmissionFault(
                f"The start command cannot be run: {self.image.start[0]}: {error.strerror}."
            ) from None
        return self._process

    def _publish_at(self, port: int) -> None:
        self._port = port
        self.url = f"http://127.0.0.1:{port}"

    def _ended_early(self, status: int) -> str:
        return (
            f"The start command ended with exit status {status} before it listened on port "
            f"{self._inside_port}."
        )

    def _silent(self) -> str:
        return f"Nothing listened on port {self._inside_port}"

    async def _wrong_port(self) -> str | None:
        # A server that is no Python program is not published elsewhere.
        if self._inside_is_free and await answers_http("127.0.0.1", self._inside_port):
            self._publish_at(self._inside_port)
            return None
        output = self.process.output[:_SEARCHED_CHARACTERS]
        printed = re.search(r"https?://\S{0,255}?:(\d{1,5})(?!\d)", output)
        if printed is None or int(printed[1]) == self._inside_port:
            return None
        await asyncio.sleep(_SETTLE_SECONDS)
        if await answers_http("127.0.0.1", self._port):
            return None
        return f"It was to listen on port {self._inside_port} and listens on {printed[1]}."

    async def is_reachable(self) -> bool | None:
        address = other_address()
        return None if address is None else await answers_http(address, self._port)

    async def stop(self, timeout_seconds: float) -> bool:
        self.process.send_signal(signal_named(self.image.final.stop_signal))
        give_up = time.monotonic() + timeout_seconds
        has_ended = await self.process.wait_for_exit(timeout_seconds) is not None
        while has_ended and self.process.has_leftovers() and time.monotonic() < give_up:
            await asyncio.sleep(_POLL_SECONDS)
        return has_ended and not self.process.has_leftovers()

    # --- the command, as it reads here ------------------------------------------------------------

    @property
    def _folder(self) -> Path:
        return self._root / self.image.final.workdir.lstrip("/")

    def _start_words(self) -> list[str]:
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
        return [str(self._folder / name) if "/" in name else _find_program(name) or name]

    def _translated(self, text: str) -> str:
        """Return the text with every path into the image as it is here."""

        def here(found: re.Match[str]) -> str:
            path = found[0].rstrip("/") or "/"
            folder, _, name = path.rpartition("/")
            if path not in self.image.files and folder.endswith("/bin"):
                # A program that a RUN line or the base image put there.
                return _find_program(name) or found[0]
            return f"{self._root}{found[0]}" if self._holds(path) else found[0]

        return re.sub(r"(?<![\w./:$}~-])/[\w.+-]+(?:/[\w.+-]*)*", here, text)

    def _holds(self, path: str) -> bool:
        above = [path, *map(str, PurePosixPath(path).parents)]
        return path in self.image.files or not self._own_folders.isdisjoint(above)

    @cached_property
    def _own_folders(self) -> set[str]:
        own = self.image.final.folders - {"/", "/etc", "/usr", "/var", "/opt", "/home", "/srv"}
        return own - {"/mnt", "/root", "/tmp", "/usr/local", "/usr/local/bin"}

    def _environment(self) -> dict[str, str]:
        values = {name: self._paths(value) for name, value in self.image.final.env.items()}
        inside = Path(sys.executable).parent
        values["PATH"] = os.pathsep.join([str(inside), os.environ.get("PATH", os.defpath)])
        search = [values["PYTHONPATH"]] if values.get("PYTHONPATH") else []
        values["PYTHONPATH"] = os.pathsep.join([*search, str(write_stand_in_package(self._root))])
        return values

    def _paths(self, value: str) -> str:
        return ":".join(self._translated(part) for part in value.split(":"))

    def _translate_scripts(self) -> None:
        mentioned = any("chmod" in step.text for step in self.image.run_steps())
        for name, file in self.image.files.items():
            path = self._root / name.lstrip("/")
            if path.stat().st_size > _MAX_SCRIPT_BYTES:
                continue
            content = path.read_bytes()
            if name.endswith(".sh") or re.match(rb"#!\S*(sh|env +\w*sh)\b", content):
                text = content.decode("utf-8", errors="surrogateescape")
                text = re.sub(rf"\b{_RUNNERS} +(?=[^-])", "", text)
                first, newline, rest = text.partition("\n")
                text = first + newline + self._translated(rest)
                path.write_bytes(text.encode("utf-8", errors="surrogateescape"))
                if file.executable or mentioned:
                    path.chmod(0o755)

    def _find_missing_tool(self) -> str | None:
        words = self._start_words()
        if not words:
            return None
        programs = set(self._programs_in(words))
        for tool in _TOOLS:
            if tool in programs and not _is_usable(tool):
                return tool
        if "/" not in words[0] and _find_program(words[0]) is None:
            return words[0]
        return None

    def _programs_in(self, words: list[str]) -> list[str]:
        """Return the names of the programs that may be called: words, shell text, a script's."""
        texts = [*words]
        for word in dict.fromkeys(words):
            for path in (Path(word), self._folder / word):
                if _is_file(path) and path.is_relative_to(self._root):
                    if path.suffix != ".py" and path.stat().st_size <= _MAX_SCRIPT_BYTES:
                        texts.append(path.read_text(encoding="utf-8", errors="replace"))
                    break
        return [Path(part).name for text in texts for part in _split_words(text)]


_SIGNALS = {"SIGHUP": 1, "SIGQUIT": 3, "SIGKILL": 9, "SIGUSR1": 10, "SIGUSR2": 12}
"""Signals that Linux has and Windows has not."""


def signal_named(name: str) -> int:
    """Return the number of a signal that `STOPSIGNAL` names.

    Raises:
        SubmissionFault: there is no such signal.
    """
    if re.fullmatch("[0-9]{1,2}", name):
        return int(name)
    full = name.upper() if name.upper().startswith("SIG") else f"SIG{name.upper()}"
    number = getattr(signal, full, _SIGNALS.get(full))
    if number is None:
        raise SubmissionFault(f"STOPSIGNAL {name} names no signal; SIGTERM is what Docker sends.")
    return int(number)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # the name is too long for one
        return False


def _find_program(name: str) -> str | None:
    base = Path(name).name
    if re.fullmatch(r"python3?(\.\d+)?", base):
        return sys.executable
    beside = shutil.which(base, path=str(Path(sys.executable).parent))
    return beside or shutil.which(base)


def _is_usable(tool: str) -> bool:
    if tool == "fastapi" and importlib.util.find_spec("fastapi_cli") is None:
        return False
    return _find_program(tool) is not None


def _split_words(text: str) -> list[str]:
    try:
        return shlex.split(text, comments=True)
    except ValueError:
        return text.split()
