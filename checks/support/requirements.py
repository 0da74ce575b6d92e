"""Reading a requirements file: what pip would install, without pip's own options."""

from __future__ import annotations

import codecs
import itertools
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from ml_api_lab.check import SubmissionFault

if TYPE_CHECKING:
    from ml_api_lab.check import Task

_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_COMMENT = re.compile(r"(^|\s)#")

_LEADING_NAME = re.compile(r"[A-Za-z0-9]([\w.-]*[A-Za-z0-9])?(?![\w.-])", re.ASCII)

_MAX_FILE_BYTES = 256_000
_MAX_LINES = 2_000
_MAX_LINE_CHARACTERS = 2_000
"""How long a line may be that is a requirement, its markers included."""


def read(task: Task, name: str = "requirements.txt") -> str:
    """Return the file's text, in the encodings that pip reads."""
    data = task.files.data(name, _MAX_FILE_BYTES)
    return decode(data) if data.startswith(_UTF_16) else task.files.text(name)


def decode(data: bytes) -> str:
    """Return a file's text as pip reads it: Windows' shell writes UTF-16."""
    if data.startswith(_UTF_16):
        return data.decode("utf-16", errors="replace")
    return data.decode("utf-8-sig", errors="replace")


def parse_requirement(line: str) -> Requirement | None:
    """Return the requirement that a line is, None if it is none."""
    if len(line) > _MAX_LINE_CHARACTERS:
        return None
    try:
        return Requirement(line)
    except (InvalidRequirement, RecursionError):
        return None


def holds_here(requirement: Requirement, extra: str = "") -> bool:
    """Whether its marker holds on this machine; one that makes no sense does not."""
    if requirement.marker is None:
        return True
    try:
        return requirement.marker.evaluate({"extra": extra})
    except (ValueError, KeyError, RecursionError):
        return False


def readable_requirements(text: str) -> list[Requirement]:
    """Return the requirements that hold on this machine, those in lines that are none as well.

    For who asks something else than whether every line is a requirement: of `fastapi uvicorn` it
    gives both, of `uvicorn=0.30` the name alone. What stands in an option is left out.
    """
    found = itertools.islice(_readable_requirements(text), _MAX_LINES)
    return [each for each in found if holds_here(each)]


def _readable_requirements(text: str) -> Iterator[Requirement]:
    for _, line, requirement in _parsed_lines(text):
        if requirement is not None:
            yield requirement
        elif not line.startswith("-"):
            for word in line.split():
                name = _LEADING_NAME.match(word)
                if name and (named := parse_requirement(name[0])):
                    yield named


def package_names(text: str) -> list[str]:
    """Return the packages that it lists, each by its canonical name."""
    return [canonicalize_name(each.name) for each in readable_requirements(text)]


def commented(text: str, name: str) -> str | None:
    """Return the comment that has that package as a requirement would; None if none has."""
    named = re.compile(rf"\b{re.escape(name)}\s*(\[|[<>=~!]|$)", re.IGNORECASE)
    for raw in text.splitlines()[:_MAX_LINES]:
        comment = _COMMENT.search(raw)
        if comment and named.search(raw, comment.end()):
            return raw[comment.start() :].strip()
    return None


def lines_for_elsewhere(text: str) -> Iterator[tuple[int, Requirement]]:
    """Yield the requirements that do not hold on this machine, each with its line's number."""
    for number, _, requirement in _parsed_lines(text):
        if requirement is not None and not holds_here(requirement):
            yield number, requirement


def invalid_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines that are no requirement, comment or blank, each with its number."""
    for number, line, requirement in _parsed_lines(text):
        if requirement is None:
            yield number, line


def _parsed_lines(text: str) -> Iterator[tuple[int, str, Requirement | None]]:
    lines = text.splitlines()
    if len(lines) > _MAX_LINES:
        raise SubmissionFault(f"The requirements have more than {_MAX_LINES} lines.")
    for number, raw in enumerate(lines, 1):
        comment = _COMMENT.search(raw)
        line = (raw[: comment.start()] if comment else raw).strip()
        if line:
            yield number, line, parse_requirement(line)
