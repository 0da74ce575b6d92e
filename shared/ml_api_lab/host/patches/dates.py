"""Dates and times of day in lab time: freezegun shows the clock's, and these what it leaves out."""

from __future__ import annotations

import datetime
import time
from types import SimpleNamespace
from typing import Any

from ml_api_lab.host import compiled_modules
from ml_api_lab.host.clock import CLOCK

DAY = datetime.datetime(2026, 1, 5, 9)
"""The lab's day, a Monday, at the hour when it begins."""

_real_clock_info = time.get_clock_info
_real_asctime = time.asctime


def freeze() -> None:
    """Let freezegun show the clock's time wherever a date or a time is asked for."""
    # Late, since a host on the wall clock never needs it and it takes a tenth of a second.
    import freezegun

    # No module is exempt: freezegun looks for exempt ones in the stack, and with its default
    # (threading, queue) whatever runs in a worker thread would see the real time.
    freezegun.configure(default_ignore_list=[])
    # freezegun's local time is its frozen (UTC) time less time.timezone.
    west = datetime.timedelta(seconds=time.timezone)
    real = {name: getattr(datetime, name) for name in ("date", "datetime")}
    frozen: Any = freezegun.freeze_time(DAY + west, tz_offset=-west).start()
    compiled_modules.load_with_real_dates(
        frozen={name: getattr(datetime, name) for name in real}, real=real
    )
    CLOCK.on_move = lambda now: frozen.move_to(
        DAY + west + datetime.timedelta(microseconds=now // 1000)
    )


def get_clock_info(name: Any, /) -> Any:
    """As the real one, with the lab's resolution: loops fire timers early by Windows' 16 ms."""
    return SimpleNamespace(**{**vars(_real_clock_info(name)), "resolution": 1e-9})


def asctime(moment: Any = None, /) -> str:
    """`time.asctime`, of lab time by itself; freezegun leaves it alone."""
    return _real_asctime(time.localtime() if moment is None else moment)


def ctime(seconds: float | None = None, /) -> str:
    """`time.ctime`, of lab time by itself."""
    return _real_asctime(time.localtime(seconds))
