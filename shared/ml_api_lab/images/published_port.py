"""Publish a server's port at another one, as an engine does for a container.

This file is laid beside a start command as `sitecustomize`, which Python imports before all else.
So two containers on one machine never want the same port, and none wants one that somebody else
has. It imports nothing of the lab.
"""

from __future__ import annotations

import os
import socket
import sys
from typing import Any

VARIABLE = "LAB_PUBLISHED_PORT"
"""The variable that says which port is published where, as in ``8080:43211``."""


def publish(inside: int, outside: int) -> None:
    """From now on, have what is bound to one port of this machine be bound to the other."""
    bind = socket.socket.bind

    def bind_outside(self: socket.socket, address: Any) -> None:
        if isinstance(address, tuple) and len(address) > 1 and address[1] == inside:
            address = (address[0], outside, *address[2:])
        bind(self, address)

    socket.socket.bind = bind_outside  # type: ignore[assignment, method-assign]  # what it is for
    # It binds where Python cannot come between; uvicorn takes asyncio's own loop without it.
    sys.modules["uvloop"] = None  # type: ignore[assignment]  # how an import is made to fail


if VARIABLE in os.environ:
    publish(*map(int, os.environ[VARIABLE].split(":")))
