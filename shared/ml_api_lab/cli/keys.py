"""Single keys from the terminal, without the Enter key, on POSIX and on Windows."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

INTERRUPT = "\x03"
ESCAPE = "\x1b"
END = ""
"""What is told when the terminal is gone."""

_POLL_SECONDS = 0.05
_WINDOWS_PREFIXES = ("\x00", "\xe0")
"""What comes before the code of an arrow or a function key."""


class Keys:
    """Reads keys in a thread of its own, for as long as it is entered.

    Arrows and function keys are read and mean nothing.

    Args:
        on_key: is told of each key, in that thread; of `END` once if there are no more.
        on_resume: is told when the program goes on after it was stopped (Ctrl-Z).
    """

    def __init__(self, on_key: Callable[[str], None], on_resume: Callable[[], None]) -> None:
        self._on_key = on_key
        self._on_resume = on_resume
        self._is_over = threading.Event()
        self._read = self._read_windows if os.name == "nt" else self._read_posix
        self._thread = threading.Thread(target=self._read, name="keys", daemon=True)
        self._before: Any = None
        self._handler_before: Any = None

    def __enter__(self) -> Keys:
        if os.name != "nt":
            import termios

            self._before = termios.tcgetattr(sys.stdin)
            self._set_cbreak()
            self._handler_before = signal.signal(signal.SIGCONT, self._resume)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._is_over.set()
        self._thread.join()
        if os.name != "nt":
            import termios

            signal.signal(signal.SIGCONT, self._handler_before)
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, self._before)

    def _set_cbreak(self) -> None:
        import tty

        tty.setcbreak(sys.stdin)

    def _resume(self, *_: object) -> None:
        self._set_cbreak()  # the shell has had the terminal meanwhile
        self._on_resume()

    def _read_posix(self) -> None:
        import select

        number = sys.stdin.fileno()
        while not self._is_over.is_set():
            if not select.select([number], [], [], _POLL_SECONDS)[0]:
                continue
            try:
                text = os.read(number, 64).decode(errors="replace")
            except OSError:  # the terminal was closed
                text = ""
            if not text:
                self._on_key(END)
                return
            if text.startswith(ESCAPE) and len(text) > 1:
                continue  # an arrow or a function key
            for key in text:
                self._on_key(key)

    def _read_windows(self) -> None:
        import msvcrt

        console: Any = msvcrt  # on other systems mypy knows nothing of what is in it
        while not self._is_over.is_set():
            if not console.kbhit():
                time.sleep(_POLL_SECONDS)
                continue
            key = console.getwch()
            if key in _WINDOWS_PREFIXES:
                console.getwch()
            else:
                self._on_key(key)
