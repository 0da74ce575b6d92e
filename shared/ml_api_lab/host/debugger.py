"""Debuggers of a submission: in the terminal at `breakpoint()`, or in an editor that attaches.

The output of the submission stays captured in both.
"""

from __future__ import annotations

import os
import pdb
import sys
from collections.abc import Callable
from typing import Any

from ml_api_lab.host import internals

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


def attach(port: int, folders: tuple[str, str], on_waiting: Callable[[], None]) -> None:
    """Wait until an editor has attached its debugger, and let `breakpoint` stop there.

    Args:
        port: where to wait for it, on this machine only.
        folders: where the editor has the submission's files, and where they are here.
        on_waiting: is called as soon as an editor can attach.
    """
    import debugpy  # late: an extra, and nobody else needs it

    internals.map_paths_of_debugpy(*folders)
    debugpy.listen(("127.0.0.1", port))
    on_waiting()
    debugpy.wait_for_client()
    sys.breakpointhook = debugpy.breakpoint


class _Debugger(pdb.Pdb):
    """Tells when the program is let run on without it."""

    on_continue: Callable[[], None]

    def set_continue(self) -> None:
        super().set_continue()
        self.on_continue()
