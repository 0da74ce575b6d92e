"""The standard streams: a run needs all three, also where its caller has closed some of them.

And it does without a reader of what it prints.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

_NAMES = ("stdin", "stdout", "stderr")


def open_closed() -> None:
    """Open the standard streams that are closed on the null device.

    Daemons and job runners close them. The next file or socket that is opened would otherwise get
    the number of a standard stream, and whoever uses that stream would use the file or socket.
    """
    for number, name in enumerate(_NAMES):
        try:
            os.fstat(number)
        except OSError:
            null = os.open(os.devnull, os.O_RDWR)
            if null != number:
                os.dup2(null, number)
                os.close(null)
            else:
                os.set_inheritable(number, True)
        if getattr(sys, name) is None:
            mode = "r" if name == "stdin" else "w"
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))


def outlive_readers() -> None:
    """Let what nobody takes any more be lost, and not the grade with it; wait for who takes it.

    A reader such as `head` ends before the run does, and a disk is full. A caller's own pipe may
    be one that does not block.
    """
    for name in _NAMES[1:]:
        stream = getattr(sys, name)
        if stream is getattr(sys, f"__{name}__") and "write" not in vars(stream):
            if os.name == "posix":
                os.set_blocking(stream.fileno(), True)
            stream.write = _forgiving(stream, stream.write)
            stream.flush = _forgiving(stream, stream.flush)


def _forgiving(stream: Any, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of a stream that, where it fails, does its work on the null device."""
    flush = stream.flush

    def forgive(*arguments: Any) -> Any:
        try:
            return function(*arguments)
        except OSError:
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, stream.fileno())
            os.close(null)
        flush()  # what is still buffered
        return len(arguments[0]) if arguments else None

    return forgive
