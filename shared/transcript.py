"""What happened in a check, in order and in lab time: requests, answers, output, exceptions."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from shared.moment import time_of_day

_BODY_LIMIT = 400
_KEPT_LINES = 2000


@dataclass(frozen=True)
class Line:
    """A line that the submission printed, and when."""

    text: str
    at: int

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Frame:
    """A place in the submission's source."""

    file: str
    line: int
    function: str
    source: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}"
        return f"{place} in {self.function}" if self.function.isidentifier() else place


@dataclass(frozen=True)
class Raised:
    """An exception of the submission's, with its own frames, outermost first."""

    type: str
    text: str
    frames: tuple[Frame, ...]
    stage: str
    request: int
    at: int

    def __str__(self) -> str:
        return f"{self.type}: {self.text}" if self.text else self.type


@dataclass
class Transcript:
    """The record of one check.

    Attributes:
        shown_as: how a student writes the task's folder.
        dropped: how many lines were printed after those that are kept.
        unread: how many bytes were printed after those that were read.
    """

    folder: Path
    shown_as: str
    entries: list[tuple[int, str]] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    raised: list[Raised] = field(default_factory=list)
    dropped: int = 0
    unread: int = 0

    def request(self, at: int, method: str, target: str, body: bytes) -> None:
        self.entries.append((at, f"-> {method} {target}{_shown(body)}"))

    def answer(self, at: int, sent: int, status: int, target: str, body: bytes) -> None:
        after = f" to {target}" if at == sent else f" to {target}, asked at {time_of_day(sent)}"
        self.entries.append((at, f"<- {status}{_shown(body)}{after}"))

    def note(self, at: int, text: str) -> None:
        self.entries.append((at, text))

    def printed(self, at: int, text: str) -> None:
        if len(self.lines) >= _KEPT_LINES:
            self.dropped += 1
            return
        self.lines.append(Line(text, at))

    def error(self, raised: Raised) -> None:
        self.raised.append(raised)

    def place(self, file: str, line: str, function: str, source: str) -> Frame:
        """Return a place as a student knows it: not in the scratch copy but in their own tree."""
        try:
            shown = Path(file).relative_to(self.folder.resolve()).as_posix()
        except ValueError:
            shown = Path(file).name
        number = int(line) if line.isdigit() else 0
        return Frame(f"{self.shown_as}/{shown}", number, function, source)


def _shown(body: bytes) -> str:
    if not body:
        return ""
    text = body.decode("utf-8", errors="backslashreplace")
    return " " + (text if len(text) <= _BODY_LIMIT else text[:_BODY_LIMIT] + " ...")
