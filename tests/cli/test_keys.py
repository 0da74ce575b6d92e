"""Keys: on Windows from a console that is made up, on POSIX from a terminal of our own."""

from __future__ import annotations

import os
import sys
import threading
from types import SimpleNamespace

import pytest

from ml_api_lab.cli.keys import END, Keys


class Console:
    """What `msvcrt` gives: characters, one at a time."""

    def __init__(self, typed: str) -> None:
        self.left = list(typed)
        self.empty = threading.Event()

    def kbhit(self) -> bool:
        if not self.left:
            self.empty.set()
        return bool(self.left)

    def getwch(self) -> str:
        return self.left.pop(0)


@pytest.mark.parametrize(
    ("typed", "heard"),
    [
        ("hq", ["h", "q"]),
        ("\xe0Hq", ["q"]),
        ("\x00;a", ["a"]),
        ("\r\x1b\x03", ["\r", "\x1b", "\x03"]),
        ("\u00e9", ["\u00e9"]),
    ],
)
def test_a_console_of_windows(
    typed: str, heard: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    console = Console(typed)
    monkeypatch.setitem(sys.modules, "msvcrt", console)
    found: list[str] = []
    keys = Keys(found.append, lambda: None)
    reader = threading.Thread(target=keys._read_windows)
    reader.start()
    assert console.empty.wait(10)
    keys._is_over.set()
    reader.join()
    assert found == heard


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such terminal")
def test_a_terminal_that_is_closed_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(fileno=lambda: reader))
    found: list[str] = []
    keys = Keys(found.append, lambda: None)
    os.write(writer, b"h\xc3\xa9")
    os.close(writer)
    keys._read_posix()
    os.close(reader)
    assert found == ["h", "\u00e9", END]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such terminal")
@pytest.mark.parametrize("typed", [b"\x1b[A", b"\x1bOP", b"\x1b[15~"])
def test_arrows_mean_nothing(typed: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(fileno=lambda: reader))
    found: list[str] = []
    os.write(writer, typed)
    os.close(writer)
    Keys(found.append, lambda: None)._read_posix()
    os.close(reader)
    assert found == [END]
