"""The standard library's ways to wait, in lab time: sleep, locks, threads, selectors, clocks.

`install` replaces them for the whole process, before anything that a submission may use is
imported, so that names bound at import (``from time import monotonic``, default arguments) are
lab time too. What is built of these parts (conditions, events, queues, executors, event loops)
needs no change of its own.

All modules of this package are imported with it, and so keep what they replace as it was.
"""

from __future__ import annotations

import _thread
import os
import selectors
import threading
import time
from typing import Any

from ml_api_lab.host import internals
from ml_api_lab.host.patches import (
    dates,
    event_loops,
    pipes,
    processor_time,
    sleep,
    threads,
)
from ml_api_lab.host.patches.locks import Lock
from ml_api_lab.host.patches.selector import Selector


def install() -> None:
    """Make this process wait in lab time."""
    dates.freeze()
    replaced: list[tuple[Any, str, Any]] = [
        (time, "sleep", sleep.sleep),
        (time, "get_clock_info", dates.get_clock_info),
        (time, "asctime", dates.asctime),
        (time, "ctime", dates.ctime),
        (time, "process_time", processor_time.process_time),
        (time, "process_time_ns", processor_time.process_time_ns),
        (threading.Thread, "start", threads.start),
        (threading.Thread, "join", threads.join),
        (_thread, "start_new_thread", threads.start_new_thread),
        (_thread, "start_new", threads.start_new_thread),
        (selectors, "DefaultSelector", Selector),
    ]
    if hasattr(time, "thread_time"):  # not on every platform
        replaced += [
            (time, "thread_time", processor_time.process_time),
            (time, "thread_time_ns", processor_time.process_time_ns),
        ]
    for owner, name, value in replaced:
        setattr(owner, name, value)
    internals.use_lock(Lock)
    event_loops.install()
    pipes.install()
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=internals.keep_own_locks_real)
