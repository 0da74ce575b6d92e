"""What an image would hold, as :mod:`ml_api_lab.images.dockerfile` reads it, without a build."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ml_api_lab.images.context import Context

_MAX_FILE_BYTES = 100 * 2**20
_MAX_TEXT_BYTES = 256_000
"""How large a file may be that somebody reads for what it says."""

_STANDARD_FOLDERS = ("/", "/etc", "/home", "/mnt", "/opt", "/root", "/srv", "/tmp", "/usr", "/var")


@dataclass(frozen=True)
class File:
    """A file of the image.

    Attributes:
        content: where its content lies, or the content itself.
        origin: its path in the build context, None if a `RUN` line's or a heredoc's.
        line: the line of the Dockerfile that brings it.
        executable: whether it may be started.
    """

    content: Path | bytes
    origin: str | None
    line: int
    executable: bool


@dataclass(frozen=True)
class Command:
    """A start command: its words, or the one text that a shell is given."""

    words: tuple[str, ...]
    in_shell: bool
    line: int


@dataclass(frozen=True)
class RunStep:
    """A `RUN` line, and what was there when it ran.

    Attributes:
        text: the command, heredocs included.
        mounted: the paths of the context that `--mount=type=bind` shows it.
        files: the stage's files then.
    """

    text: str
    line: int
    workdir: str
    mounted: tuple[str, ...]
    files: Mapping[str, File]


@dataclass
class BuildStage:
    """A stage of the build, as it stands after its last line.

    Attributes:
        base: what its `FROM` names, variables replaced.
        parent: the earlier stage that this one continues, if `FROM` names one.
        sources: the earlier stages that it copies from.
        images: the other images that it copies from.
        declared: the names that `ARG` asks the builder for, with or without a default.
    """

    base: str
    line: int
    name: str | None = None
    parent: BuildStage | None = None
    env: dict[str, str] = field(default_factory=dict)
    args: dict[str, str] = field(default_factory=dict)
    workdir: str = "/"
    user: str = ""
    shell: tuple[str, ...] = ("/bin/sh", "-c")
    entrypoint: Command | None = None
    command: Command | None = None
    stop_signal: str = "SIGTERM"
    ports: list[str] = field(default_factory=list)
    files: dict[str, File] = field(default_factory=dict)
    folders: set[str] = field(default_factory=lambda: set(_STANDARD_FOLDERS))
    steps: list[RunStep] = field(default_factory=list)
    sources: list[BuildStage] = field(default_factory=list)
    images: list[str] = field(default_factory=list)
    declared: set[str] = field(default_factory=set)

    @property
    def root(self) -> str:
        """The image from outside that it rests on."""
        stage = self
        while stage.parent is not None:
            stage = stage.parent
        return stage.base


@dataclass(frozen=True)
class Image:
    """What the last stage comes to; without any `FROM`, an image of nothing.

    Attributes:
        final: the last stage.
        stages: that one and those that it rests on or copies from.
        context: the folder that it is built from.
    """

    final: BuildStage
    stages: tuple[BuildStage, ...]
    context: Context

    @property
    def base(self) -> str:
        return self.final.root

    @property
    def files(self) -> dict[str, File]:
        return self.final.files

    @property
    def start(self) -> tuple[str, ...]:
        """The words of the whole start command, as an engine would run it."""
        words: tuple[str, ...] = ()
        for command in (self.final.entrypoint, self.final.command):
            if command is not None:
                words += (*self.final.shell, *command.words) if command.in_shell else command.words
        return words

    @property
    def start_line(self) -> int:
        """The line of the start command's first word, 0 without one."""
        command = self.final.entrypoint or self.final.command
        return command.line if command is not None else 0

    @property
    def starts_in_shell(self) -> bool:
        """Whether it is written in the shell form."""
        command = self.final.entrypoint or self.final.command
        return command is not None and command.in_shell

    def content(self, file: File, limit: int = _MAX_TEXT_BYTES) -> bytes:
        """Return what is in a file of the image; nothing if that is more than so many bytes."""
        if isinstance(file.content, bytes):
            return file.content if len(file.content) <= limit else b""
        return b"" if file.origin is None else self.context.content(file.origin, limit)

    def run_steps(self) -> Iterator[RunStep]:
        """Yield the `RUN` lines of all its stages."""
        seen: set[tuple[int, str]] = set()
        for stage in self.stages:
            for step in stage.steps:
                if (step.line, step.text) not in seen:
                    seen.add((step.line, step.text))
                    yield step

    def lay_out(self, root: Path) -> None:
        """Write its files below that folder, and its working folder."""
        for name in (self.final.workdir, *self.final.folders - set(_STANDARD_FOLDERS)):
            _below(root, name).mkdir(parents=True, exist_ok=True)
        for name, file in self.files.items():
            path = _below(root, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(self.content(file, _MAX_FILE_BYTES))
            if file.executable:
                path.chmod(0o755)


def _below(root: Path, name: str) -> Path:
    return root / name.lstrip("/")
