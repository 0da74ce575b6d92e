"""asyncio's event loops in lab time, on every platform."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from types import ModuleType
from typing import Any

from ml_api_lab.host import internals
from ml_api_lab.host.clock import CLOCK
from ml_api_lab.protocol.timers import OrderedTimer


def install() -> None:
    """Let loops take the time from the clock, and wait where the patched selector is asked."""
    base: Any = asyncio.BaseEventLoop
    base.time = lambda loop: CLOCK.seconds
    internals.use_timer(OrderedTimer)
    internals.wait_for_children_in_threads()
    if importlib.util.find_spec("uvloop") is not None:
        sys.modules["uvloop"] = _uvloop()
    if sys.platform == "win32":
        # Proactors wait in the operating system, where no selector can be put in between. uvicorn
        # asks for one by its name, and `asyncio.run` by that of the default.
        for module in (asyncio, asyncio.windows_events):
            module.ProactorEventLoop = module.EventLoop = asyncio.SelectorEventLoop
        if hasattr(asyncio, "WindowsSelectorEventLoopPolicy"):  # until Python 3.16
            asyncio.set_event_loop_policy(asyncio.WindowsSelectorEventLoopPolicy())


def _uvloop() -> ModuleType:
    """Return asyncio's own loop under the name of one that waits where nothing can be put in."""
    module = ModuleType("uvloop")
    module.__dict__.update(
        install=lambda: None,
        run=asyncio.run,
        Loop=asyncio.SelectorEventLoop,
        new_event_loop=asyncio.new_event_loop,
    )
    if sys.version_info < (3, 14):
        module.__dict__["EventLoopPolicy"] = asyncio.DefaultEventLoopPolicy
    return module
