"""`breakpoint()` in a submission: the debugger gets the terminal, the output stays captured."""

from __future__ import annotations

import os
import pdb
import sys
from collections.abc import Callable
from typing import Any

_NO_TERMINAL = "breakpoint() needs the terminal: run pytest with -s"


def install(terminal: str | None, on_pause: Callable[[bool], None]) -> None:
    """Let `breakpoint` and `pdb.set_trace` talk to that terminal; without one they fail."""

    def stop(*args: Any, **kwargs: Any) -> None:
        if terminal is None:
            raise RuntimeError(_NO_TERMINAL)
        on_pause(True)
        # O_NOCTTY: the terminal keeps its controlling process, so Ctrl-C still ends pytest.
        flags = os.O_RDWR | getattr(os, "O_NOCTTY", 0)
        # Twice: a terminal cannot be sought in, and a file open for both must be.
        keyboard = open(os.open(terminal, flags), encoding="utf-8", errors="replace")
        screen = open(os.open(terminal, flags), "w", buffering=1, encoding="utf-8")
        debugger = _Debugger(stdin=keyboard, stdout=screen, nosigint=True)
        debugger.on_continue = lambda: on_pause(False)
        debugger.set_trace(sys._getframe(1))

    sys.breakpointhook = stop
    pdb.set_trace = stop


class _Debugger(pdb.Pdb):
    """Tells when the program is let run on without it."""

    on_continue: Callable[[], None]

    def set_continue(self) -> None:
        super().set_continue()
        self.on_continue()
