"""The command `lab` in a pseudo-terminal, as somebody sees it who works with it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.graded import ON_WINDOWS
from tests.support.lab import COMMAND
from tests.support.toy import LIMIT, own_environment

in_a_terminal = pytest.mark.skipif(ON_WINDOWS, reason="Windows has no pseudo-terminals of POSIX")


class Terminal:
    """`lab` in a pseudo-terminal of a given size, which shows no colours unless it is told to."""

    def __init__(
        self,
        course: Path,
        *words: str,
        columns: int = 80,
        lines: int = 24,
        has_colours: bool = False,
    ) -> None:
        import pexpect

        environment = {**own_environment(), "TERM": "xterm"}
        if has_colours:
            del environment["NO_COLOR"]
        self.columns, self.lines = columns, lines
        self.shown = ""
        self._process = pexpect.spawn(
            COMMAND[0],
            [*COMMAND[1:], *words],
            cwd=str(course),
            env=environment,
            dimensions=(lines, columns),
            encoding="utf-8",
            timeout=LIMIT,
        )

    def expect(self, pattern: str) -> str:
        """Wait until something is shown; return what was shown since the last time."""
        self._process.expect(pattern)
        found: str = self._process.before + self._process.after
        self.shown += found
        return found

    def press(self, key: str) -> None:
        self._process.send(key)

    def resize(self, columns: int, lines: int) -> None:
        self._process.setwinsize(lines, columns)

    def status(self) -> int:
        """Wait for the end; return the exit status."""
        import pexpect

        self._process.expect(pexpect.EOF)
        self.shown += self._process.before
        self._process.close()
        status: int = self._process.exitstatus
        return status

    def close(self) -> None:
        self._process.close(force=True)


def screens(text: str, *, has_colours: bool = False) -> list[list[str]]:
    """Return the screens that were drawn, as rows: without any codes, or with those of colours."""
    codes = r"\x1b\[[0-9;]*[A-Za-z]" if not has_colours else r"\x1b\[[0-9;]*[A-Zln-z]"
    drawn = re.split(r"\x1b\[H(?!\x1b\[H)", text)[1:]
    return [
        [re.sub(codes, "", row) for row in screen.split("\r\n")]
        for screen in drawn
        if screen.endswith("\x1b[J")
    ]
