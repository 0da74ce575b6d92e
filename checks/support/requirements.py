"""Reading a requirements file: what pip would install, without pip's own options."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from ml_api_lab.check import Task

_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_COMMENT = re.compile(r"(^|\s+)#.*$")


def read(task: Task, name: str = "requirements.txt") -> str:
    """Return the file's text, in the encodings that pip reads."""
    data = task.files.require(name).read_bytes()
    return decode(data) if data.startswith(_UTF_16) else task.files.text(name)


def decode(data: bytes) -> str:
    """Return a file's text as pip reads it: Windows' shell writes UTF-16."""
    if data.startswith(_UTF_16):
        return data.decode("utf-16", errors="replace")
    return data.decode("utf-8-sig", errors="replace")


def requirements_in(text: str) -> list[Requirement]:
    """Return the requirements that hold on this machine; lines that are none are left out."""
    found = (requirement for _, _, requirement in _parsed_lines(text) if requirement is not None)
    return [each for each in found if each.marker is None or each.marker.evaluate({"extra": ""})]


def package_names(text: str) -> list[str]:
    """Return the packages that it lists, each by its canonical name."""
    return [canonicalize_name(each.name) for each in requirements_in(text)]


def invalid_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines that are no requirement, comment or blank, each with its number."""
    for number, line, requirement in _parsed_lines(text):
        if requirement is None:
            yield number, line


def _parsed_lines(text: str) -> Iterator[tuple[int, str, Requirement | None]]:
    for number, raw in enumerate(text.splitlines(), 1):
        line = _COMMENT.sub("", raw).strip()
        if not line:
            continue
        try:
            yield number, line, Requirement(line)
        except InvalidRequirement:
            yield number, line, None
