"""The code blocks of a page in Markdown, each with what the text says about it."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(r"^( *)```(\w*)(?: \S+)?$")
_NOT_RUN = re.compile(r"^<!-- not run: (.+) -->$")


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        language: the first word after its first fence.
        text: its lines, without their common indentation.
        line: the number of its first fence.
        lead: the line of text above it.
        reason: why it cannot be run, from the comment `<!-- not run: ... -->` above it.
    """

    language: str
    text: str
    line: int
    lead: str = ""
    reason: str | None = None


def blocks(page: Path) -> list[Block]:
    """Return the fenced blocks of a page, in their order."""
    found = []
    lead, reason = "", None
    lines = iter(enumerate(page.read_text(encoding="utf-8").splitlines(), start=1))
    for number, line in lines:
        if fence := _FENCE.match(line):
            end = fence[1] + "```"
            body = []
            for _, inner in lines:
                if inner == end:
                    break
                body.append(inner)
            text = textwrap.dedent("\n".join(body)) + "\n"
            found.append(Block(fence[2], text, number, lead, reason))
            lead, reason = "", None
        elif comment := _NOT_RUN.match(line.strip()):
            reason = comment[1]
        elif line.strip():
            lead = line.strip()
    return found


def section(text: str, heading: str) -> str:
    """Return what stands under a heading, up to the next one of its level or above."""
    level = len(heading) - len(heading.lstrip("#"))
    start = text.index(f"\n{heading}\n") + len(heading) + 2
    following = re.search(rf"^#{{1,{level}}} ", text[start:], re.MULTILINE)
    return text[start : start + following.start()] if following else text[start:]


def words(text: str) -> int:
    """Return how many words a reader reads: no code blocks, no comments, no addresses."""
    prose = re.sub(r"^ *```.*?^ *```$", "", text, flags=re.MULTILINE | re.DOTALL)
    prose = re.sub(r"<!--.*?-->|!\[.*?\]\(.*?\)|(?<=\])\(.*?\)", "", prose, flags=re.DOTALL)
    return len(re.findall(r"\w[\w'`./-]*", prose))
