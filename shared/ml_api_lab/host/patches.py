"""The standard library's ways to wait, in lab time: sleep, locks, threads, selectors, dates.

`install` replaces them for the whole process, before anything that a submission may use is
imported, so that names bound at import (``from time import monotonic``, default arguments) are
lab time too. What is built of these parts (conditions, events, queues, executors, event loops)
needs no change of its own.
"""

from __future__ import annotations

import _thread
import datetime
import importlib.util
import os
import queue
import selectors
import socket
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from types import ModuleType, SimpleNamespace
from typing import Any

from ml_api_lab.host import compiled_modules
from ml_api_lab.host.clock import CLOCK, Waiter, start_uncounted

DAY = datetime.datetime(2026, 1, 5, 9)
"""The lab's day, a Monday, at the hour when it begins."""

# Where the function is bound that pools wait with; joblib brings a pool of its own.
_WHERE_POOLS_WAIT = (
    "multiprocessing.connection",
    "multiprocessing.pool",
    "joblib.externals.loky.process_executor",
)
_PATIENCE = 0.05
"""How long other processes may take for an answer before time moves on, in real seconds."""
_AT_WORK = 5.0
"""The same for processes that are known to be at work, or about to begin."""

_MEETING = 0.005
"""How far apart threads may come to a file and yet meet there, in real seconds."""

real_sleep = time.sleep
_real_clock_info = time.get_clock_info
_real_asctime = time.asctime
_real_start = threading.Thread.start
_real_join = threading.Thread.join
_RealSelector = selectors.DefaultSelector


def install() -> None:
    """Make this process wait in lab time."""
    import asyncio

    from ml_api_lab.protocol.timers import OrderedTimer

    _freeze()
    replaced: list[tuple[Any, str, Any]] = [
        (time, "sleep", sleep),
        (time, "get_clock_info", get_clock_info),
        (time, "asctime", asctime),
        (time, "ctime", ctime),
        (threading, "Lock", Lock),
        # threading.Condition makes its waiters with the module's private name for a plain lock.
        (threading, "_allocate_lock", Lock),
        (threading, "RLock", RLock),
        (threading.Thread, "start", _start),
        (threading.Thread, "join", _join),
        (_thread, "start_new_thread", _start_new_thread),
        (_thread, "start_new", _start_new_thread),
        # The C version waits outside Python's locks; executors keep their work in one.
        (queue, "SimpleQueue", SimpleQueue),
        (selectors, "DefaultSelector", Selector),
        (asyncio.BaseEventLoop, "time", lambda loop: CLOCK.seconds),
        (asyncio.events, "TimerHandle", OrderedTimer),
    ]
    for owner, name, value in replaced:
        setattr(owner, name, value)
    unix: Any = getattr(asyncio, "unix_events", None)
    if hasattr(unix, "can_use_pidfd"):
        # From Python 3.12 on a loop would wait for the end of a child in its selector, which is lab
        # time; a thread that waits for it is running, so that it is waited for in real time.
        unix.can_use_pidfd = lambda: False
    if importlib.util.find_spec("uvloop") is not None:
        sys.modules["uvloop"] = _uvloop()
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_keep_own_locks_real)
    if sys.platform == "win32":
        # Proactors wait in the operating system, where no selector can be put in between. uvicorn
        # asks for one by its name, and `asyncio.run` by that of the default.
        for module in (asyncio, asyncio.windows_events):
            module.ProactorEventLoop = module.EventLoop = asyncio.SelectorEventLoop
        if hasattr(asyncio, "WindowsSelectorEventLoopPolicy"):  # until Python 3.16
            asyncio.set_event_loop_policy(asyncio.WindowsSelectorEventLoopPolicy())


def _keep_own_locks_real() -> None:
    """Undo what `threading` does after a fork: it makes its own locks of the replaced parts.

    It takes them where a thread is not counted, which must not park then.
    """
    threading._active_limbo_lock = _thread.RLock()  # type: ignore[attr-defined]
    if hasattr(threading, "_shutdown_locks_lock"):
        threading._shutdown_locks_lock = _thread.allocate_lock()


def _uvloop() -> ModuleType:
    """Return asyncio's own loop under the name of one that waits where nothing can be put in."""
    import asyncio

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


def _freeze() -> None:
    """Let freezegun show the clock's time wherever a date or a time is asked for."""
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


def meet_at_files() -> None:
    """Let threads that write to files meet each other there.

    On a quiet machine a thread is mostly done before the next one wakes, and lines that tear now
    and then would be torn in one run and not in the next. So each waits, in real time, for the
    next of common moments, at which all that have come go on together.
    """
    from freezegun.api import real_perf_counter

    def meet(frame: object, event: str, called: object) -> None:
        if event == "c_call" and getattr(called, "__name__", "") in ("open", "write"):
            real_sleep(_MEETING - real_perf_counter() % _MEETING)

    threading.setprofile(meet)


def sleep(seconds: float, /) -> None:
    """`time.sleep` in lab time."""
    if not CLOCK.connected:
        real_sleep(seconds)
        return
    if seconds < 0:
        raise ValueError("sleep length must be non-negative")
    CLOCK.sleep(seconds)


def get_clock_info(name: Any, /) -> Any:
    """As the real one, with the lab's resolution: loops fire timers early by Windows' 16 ms."""
    return SimpleNamespace(**{**vars(_real_clock_info(name)), "resolution": 1e-9})


def asctime(moment: Any = None, /) -> str:
    """`time.asctime`, of lab time by itself; freezegun leaves it alone."""
    return _real_asctime(time.localtime() if moment is None else moment)


def ctime(seconds: float | None = None, /) -> str:
    """`time.ctime`, of lab time by itself."""
    return _real_asctime(time.localtime(seconds))


class Lock:
    """`threading.Lock` in lab time: released straight into the hands of who waited longest."""

    def __init__(self) -> None:
        self._held = False
        self._waiters: deque[Waiter] = deque()

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        if not blocking and timeout != -1:
            raise ValueError("can't specify a timeout for a non-blocking call")
        if timeout < 0 and timeout != -1:
            raise ValueError("timeout value must be a non-negative number")
        with CLOCK.mutex:
            if not self._held:
                self._held = True
                return True
            if not blocking or timeout == 0:
                return False
            waiter = Waiter(None if timeout == -1 else CLOCK.moment(timeout))
            self._waiters.append(waiter)
            CLOCK.park(waiter)
        return not waiter.wait()

    def release(self) -> None:
        with CLOCK.mutex:
            if not self._held:
                raise RuntimeError("release unlocked lock")
            while self._waiters:
                if CLOCK.wake(self._waiters.popleft()):
                    return
            self._held = False

    def locked(self) -> bool:
        return self._held

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *exc: object) -> None:
        self.release()

    def _at_fork_reinit(self) -> None:
        self.__init__()  # type: ignore[misc]


class RLock:
    """`threading.RLock` in lab time."""

    def __init__(self) -> None:
        self._block = Lock()
        self._owner: int | None = None
        self._count = 0

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        me = threading.get_ident()
        if self._owner != me:
            if not self._block.acquire(blocking, timeout):
                return False
            self._owner = me
        self._count += 1
        return True

    def release(self) -> None:
        if self._owner != threading.get_ident():
            raise RuntimeError("cannot release un-acquired lock")
        self._count -= 1
        if not self._count:
            self._owner = None
            self._block.release()

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *exc: object) -> None:
        self.release()

    def locked(self) -> bool:
        return self._count > 0

    # What threading.Condition and multiprocessing ask of a reentrant lock.

    def _recursion_count(self) -> int:
        return self._count if self._is_owned() else 0

    def _is_owned(self) -> bool:
        return self._owner == threading.get_ident()

    def _release_save(self) -> tuple[int, int | None]:
        state = (self._count, self._owner)
        self._count, self._owner = 0, None
        self._block.release()
        return state

    def _acquire_restore(self, state: tuple[int, int | None]) -> None:
        self._block.acquire()
        self._count, self._owner = state

    def _at_fork_reinit(self) -> None:
        self.__init__()  # type: ignore[misc]


class SimpleQueue:
    """`queue.SimpleQueue` in lab time."""

    def __init__(self) -> None:
        self._items: deque[Any] = deque()
        self._count = threading.Semaphore(0)

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        self._items.append(item)
        self._count.release()

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        if timeout is not None and timeout < 0:
            raise ValueError("'timeout' must be a non-negative number")
        if not self._count.acquire(block, timeout if block else None):
            raise queue.Empty
        return self._items.popleft()

    def put_nowait(self, item: Any) -> None:
        self.put(item)

    def get_nowait(self) -> Any:
        return self.get(block=False)

    def empty(self) -> bool:
        return not self._items

    def qsize(self) -> int:
        return len(self._items)


def _start(thread: threading.Thread) -> None:
    """`Thread.start`: the new thread counts as running before it runs."""
    if hasattr(selectors, "PollSelector"):
        # Only here, for it takes long to import: who waits so is a pool's thread.
        for name in _WHERE_POOLS_WAIT:
            if name in sys.modules:
                sys.modules[name].wait = _wait_for_others  # type: ignore[attr-defined]
    # Around all that it does, not around `run` alone: the hook for exceptions comes after it.
    live, ended = thread._bootstrap_inner, threading.Event()  # type: ignore[attr-defined]

    def live_and_end() -> None:
        try:
            live()
        finally:
            ended.set()
            CLOCK.leave()

    thread._bootstrap_inner = live_and_end  # type: ignore[attr-defined]
    thread._lab_ended = ended  # type: ignore[attr-defined]
    CLOCK.enter()
    try:
        _real_start(thread)
    except BaseException:
        CLOCK.leave()
        raise


def _join(thread: threading.Thread, timeout: float | None = None) -> None:
    """`Thread.join`: park until the thread's work has ended; the rest takes no lab time."""
    ended = getattr(thread, "_lab_ended", None)
    if ended is None or thread is threading.current_thread() or ended.wait(timeout):
        _real_join(thread)


def _start_new_thread(
    function: Callable[..., object], args: tuple[Any, ...], kwargs: dict[str, Any] | None = None, /
) -> int:
    """`_thread.start_new_thread`: counted like a `threading.Thread`."""

    def run() -> None:
        try:
            function(*args, **(kwargs or {}))
        finally:
            CLOCK.leave()

    CLOCK.enter()
    try:
        return start_uncounted(run, ())
    except BaseException:
        CLOCK.leave()
        raise


def _wait_for_others(object_list: Any, timeout: float | None = None) -> list[Any]:
    """`multiprocessing.connection.wait`: other processes live outside the lab, in real time.

    The real one asks the (standing) clock over and over whether its timeout is past. Where there
    are no other processes, a pool of threads waits for one of its own, and that is lab time.
    """
    # An executor's manager knows what its workers have been given; it calls this itself.
    asked = getattr(sys._getframe(1).f_locals.get("self"), "pending_work_items", None)
    others = sys.modules["multiprocessing.process"]._children
    with selectors.PollSelector() if others else Selector() as selector:
        for each in object_list:
            selector.register(each, selectors.EVENT_READ)
        patience = _AT_WORK if asked else _PATIENCE
        ready = selector.select(patience if others and timeout is None else timeout)
        while others and timeout is None and not ready:
            # Idle workers never answer, and somebody may wait for a moment of lab time meanwhile.
            idle = asked is not None and not asked
            CLOCK.pass_on(lambda: bool(selector.select(0)), idle=idle)
            ready = selector.select(_PATIENCE)
        return [key.fileobj for key, _ in ready]


class Selector(_RealSelector):
    """The default selector, parking its thread where it would block.

    Event loops take it by themselves. Its own wake-up socket is never reported.
    """

    def __init__(self) -> None:
        super().__init__()
        self._near, self._far = socket.socketpair()
        self._near.setblocking(False)
        self._far.setblocking(False)
        self.register(self._near, selectors.EVENT_READ)

    def get_map(self) -> Mapping[Any, Any]:
        return {fd: key for fd, key in super().get_map().items() if fd != self._near.fileno()}

    def _poll(self, timeout: float | None = 0) -> list[Any]:
        return [event for event in super().select(timeout) if event[0].fileobj is not self._near]

    def select(self, timeout: float | None = None) -> list[Any]:
        events = self._poll()
        if events or (timeout is not None and timeout <= 0) or not CLOCK.connected:
            return events or super().select(timeout)
        with CLOCK.mutex:
            deadline = None if timeout is None else CLOCK.moment(timeout)
            waiter = Waiter(deadline, self._interrupt, lambda: bool(self._poll()))
            CLOCK.park(waiter)
        events = self._poll(None)
        with CLOCK.mutex:
            # Something became readable on its own, or somebody has woken this thread.
            CLOCK.unpark(waiter)
            try:
                self._near.recv(64)
            except BlockingIOError:
                pass
        return events

    def _interrupt(self) -> None:
        self._far.send(b"!")

    def close(self) -> None:
        self._near.close()
        self._far.close()
        super().close()
