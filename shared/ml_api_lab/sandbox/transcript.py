"""What happened in a check, in order and in lab time: requests, answers, output, exceptions."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from ml_api_lab.lab_time import Span
from ml_api_lab.protocol.messages import ProblemStage

_MAX_BODY_LENGTH = 400
_MAX_HEADERS_LENGTH = 200
_MAX_LINES = 40_000
"""How many lines are kept of all processes of a check."""

# What every client sends and every server answers, which says nothing about either.
_USUAL_HEADERS = {
    "accept: */*",
    "content-type: application/json",
    "content-type: text/plain; charset=utf-8",
    f"user-agent: python-httpx/{httpx.__version__}",
}
_UNINTERESTING_HEADERS = {"accept-encoding", "connection", "content-length", "host"}
# What FastAPI serves there is its own, long, and says nothing about a check.
_GENERATED_PATHS = {"/docs", "/openapi.json", "/redoc"}


@dataclass(frozen=True)
class Line:
    """A line that the submission printed, and when."""

    text: str
    at: Span

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
    stage: ProblemStage
    request: int
    at: Span

    def __str__(self) -> str:
        return f"{self.type}: {self.text}" if self.text else self.type

    @property
    def headline(self) -> str:
        """Its first line, to go on with in a sentence."""
        return next(iter(str(self).splitlines()), "").rstrip(".")


@dataclass
class RequestRecord:
    """A request, and once there is an answer its status and when it was complete.

    Attributes:
        text: the request as a card shows it; `body`: what it has of the body.
        answer: its answer as a card shows it, "" as long as there is none.
    """

    method: str
    target: str
    sent: Span
    text: str = ""
    body: str = ""
    status: int = 0
    answered: Span | None = None
    answer: str = ""


@dataclass
class Transcript:
    """The record of one check.

    Attributes:
        entries: the requests, and between them the harness's own sentences.
        folder: the workspace; `original`: what it is a copy of; `shown_as`: that one's name.
        dropped: how many lines were printed and not kept.
        unread: how many bytes were printed after those that were read.
    """

    folder: Path
    original: Path
    shown_as: str
    entries: list[tuple[Span, str | RequestRecord]] = field(default_factory=list)
    requests: list[RequestRecord] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    raised: list[Raised] = field(default_factory=list)
    dropped: int = 0
    unread: int = 0

    def request(
        self, at: Span, method: str, target: str, headers: list[list[str]], body: bytes
    ) -> RequestRecord:
        """Record a request; return the record, which its answer completes."""
        shown = _body_text(body)
        text = f"{method} {target}{_headers_text(headers)}{shown}"
        record = RequestRecord(method, target, at, text, shown.strip())
        self.entries.append((at, record))
        self.requests.append(record)
        return record

    def answer(
        self, at: Span, record: RequestRecord, status: int, headers: list[list[str]], body: bytes
    ) -> None:
        record.status, record.answered = status, at
        told = _body_text(body)
        if record.target.partition("?")[0] in _GENERATED_PATHS or told.startswith(" <"):
            told = f" ({len(body)} bytes)"
        record.answer = f"{status}{_headers_text(headers)}{told}"

    def note(self, at: Span, text: str) -> None:
        self.entries.append((at, text))

    @property
    def has_all_output(self) -> bool:
        """Whether all that was printed is in `lines`: who looks for what must not be there asks."""
        return not self.dropped and not self.unread

    def printed(self, at: Span, text: str) -> None:
        if len(self.lines) >= _MAX_LINES:
            self.dropped += 1
            return
        self.lines.append(Line(self.local(text), at))

    def error(self, raised: Raised) -> None:
        self.raised.append(raised)

    def local(self, text: str) -> str:
        """Return a text of the submission's with the paths of its own tree, not of the copy."""
        return text.replace(str(self.folder), self.shown_as)

    def places(self, frames: list[list[str]]) -> tuple[Frame, ...]:
        """Return places as a student knows them: not in the workspace but in their own tree.

        What a check has laid into the copy is left out: it is nobody's own line.

        Args:
            frames: the file, line, function and source of each, as a host tells them.
        """
        found = []
        for file, line, function, source in (each for each in frames if len(each) == 4):
            path = Path(file)
            if ".." in path.parts or not path.is_relative_to(self.folder):
                continue
            name = path.relative_to(self.folder).as_posix()
            if os.path.isfile(self.original / name):
                number = int(line) if line.isdecimal() else 0
                found.append(Frame(f"{self.shown_as}/{name}", number, function, source))
        return tuple(found)


def _headers_text(headers: list[list[str]]) -> str:
    """Return the headers that say something, as in `` [X-API-Key: wrong]``."""
    told = [
        f"{name}: {value}"
        for name, value in headers
        if name.lower() not in _UNINTERESTING_HEADERS
        and f"{name}: {value}".lower() not in _USUAL_HEADERS
    ]
    text = "; ".join(told)
    if len(text) > _MAX_HEADERS_LENGTH:
        text = text[:_MAX_HEADERS_LENGTH] + " ..."
    return f" [{text}]" if told else ""


def _body_text(body: bytes) -> str:
    if not body:
        return ""
    text = body.decode("utf-8", errors="backslashreplace")
    return " " + (text if len(text) <= _MAX_BODY_LENGTH else text[:_MAX_BODY_LENGTH] + " ...")
