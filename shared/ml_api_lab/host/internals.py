"""The private names of Python and of its libraries that the untrusted side depends on.

No other module of the host uses one. `tests/host/test_internals.py` lists them, each with what
needs it, and fails by name where a release has moved one.
"""

from __future__ import annotations

import _thread
import asyncio
import atexit
import gc
import importlib
import inspect
import os
import queue
import runpy
import subprocess
import sys
import threading
from asyncio import events
from collections.abc import Callable
from types import FrameType
from typing import Any

# No type stub knows their private names.
_posixsubprocess: Any = importlib.import_module("_posixsubprocess") if os.name == "posix" else None
_threading: Any = threading
_queue: Any = queue
_atexit: Any = atexit
_runpy: Any = runpy
_subprocess: Any = subprocess
_events: Any = events
_unix_events: Any = getattr(asyncio, "unix_events", None)

# Where the function is bound that pools of processes wait with; joblib brings a pool of its own.
_POOL_MODULES = (
    "multiprocessing.connection",
    "multiprocessing.pool",
    "joblib.externals.loky.process_executor",
)
_ASYNC_GENERATOR_STEPS = ("async_generator_asend", "async_generator_athrow")


# --- threads and locks ----------------------------------------------------------------------------


def use_lock(lock: type) -> None:
    """Let everything that waits for another thread be made of this class of lock.

    Conditions make theirs by the private name. The reentrant lock and the simple queue of C wait
    where no class can be put in, so the standard library's own in Python take their places.
    """
    _threading.Lock = lock
    _threading._allocate_lock = lock
    _threading.RLock = _threading._PyRLock
    _queue.SimpleQueue = _queue._PySimpleQueue


def keep_own_locks_real() -> None:
    """Undo what `threading` does after a fork: it makes its own locks of the replaced class.

    It takes them where a thread is not counted, which must not park then.
    """
    _threading._active_limbo_lock = _thread.RLock()
    if hasattr(threading, "_shutdown_locks_lock"):  # until Python 3.12
        _threading._shutdown_locks_lock = _thread.allocate_lock()


def wrap_thread(thread: Any, wrap: Callable[[Callable[[], None]], Callable[[], None]]) -> None:
    """Wrap all that a thread does, not `run` alone: the hook for exceptions comes after that."""
    thread._bootstrap_inner = wrap(thread._bootstrap_inner)


def tell_pools_of_exit() -> None:
    """Run what tells executors that the main thread has ended; their idle threads then end."""
    for callback in reversed(_threading._threading_atexits):
        callback()


def run_exit_handlers() -> None:
    """Run what was registered with `atexit`, as the interpreter does at its end."""
    _atexit._run_exitfuncs()


def wait_for_threads() -> None:
    """Do what the interpreter does when its main thread has ended: wait for the others."""
    _threading._shutdown()


def forget_exit_handlers() -> None:
    """Forget what was registered with `atexit` so far.

    But for what multiprocessing does there, if it is loaded: it ends a submission's own processes
    and frees what they shared.
    """
    _atexit._clear()
    util: Any = sys.modules.get("multiprocessing.util")
    if util is not None:
        atexit.register(util._exit_function)


def run_module(name: str) -> None:
    """Run a module as `python -m` does."""
    _runpy._run_module_as_main(name)


# --- other programs -------------------------------------------------------------------------------


def wrap_spawning(wrap: Callable[[Callable[..., int]], Callable[..., int]]) -> None:
    """Let `subprocess`, multiprocessing and joblib start other programs through `wrap(real)`."""
    _posixsubprocess.fork_exec = _subprocess._fork_exec = wrap(_posixsubprocess.fork_exec)


def interpreter_flags() -> list[str]:
    """Return the options with which multiprocessing starts an interpreter like this one."""
    flags: list[str] = _subprocess._args_from_interpreter_flags()
    return flags


# --- asyncio --------------------------------------------------------------------------------------


def use_timer(timer: type[asyncio.TimerHandle]) -> None:
    """Let loops make their timers of this class."""
    _events.TimerHandle = timer


def wait_for_children_in_threads() -> None:
    """Let loops wait for the end of a child process in a thread, which waits in real time.

    From Python 3.12 on a loop would wait for it in its selector, which is lab time.
    """
    if hasattr(_unix_events, "can_use_pidfd"):
        _unix_events.can_use_pidfd = lambda: False


def watch_running_loop(on_change: Callable[[asyncio.BaseEventLoop | None], None]) -> None:
    """Call `on_change` in a thread whose running loop is about to be another one, or none.

    Whatever runs a loop says so there; nest_asyncio has its own way to run one.
    """
    set_running_loop = _events._set_running_loop

    def tell_and_set(loop: asyncio.BaseEventLoop | None) -> None:
        on_change(loop)
        set_running_loop(loop)

    _events._set_running_loop = tell_and_set


def awaited_frames(coroutine: Any) -> list[FrameType]:
    """Return the frames of a suspended coroutine and of what it awaits, outermost first."""
    frames = []
    while coroutine is not None:
        if inspect.iscoroutine(coroutine):
            frame, coroutine = coroutine.cr_frame, coroutine.cr_await
        elif inspect.isasyncgen(coroutine):
            frame, coroutine = coroutine.ag_frame, coroutine.ag_await
        else:
            # One step of an asynchronous generator (a lifespan is one) only refers to it.
            is_step = type(coroutine).__name__ in _ASYNC_GENERATOR_STEPS
            referred = gc.get_referents(coroutine) if is_step else ()
            coroutine = next(filter(inspect.isasyncgen, referred), None)
            continue
        if frame is None:
            break
        frames.append(frame)
    return frames


# --- pools of processes ---------------------------------------------------------------------------
# Only looked at where a submission has imported them: they take long to import.


def use_pool_wait(wait: Callable[..., list[Any]]) -> None:
    """Let the pools that are loaded wait for their workers with this function."""
    for name in _POOL_MODULES:
        if name in sys.modules:
            module: Any = sys.modules[name]
            module.wait = wait


def has_child_processes() -> bool:
    """Whether this process has children that multiprocessing started."""
    process: Any = sys.modules["multiprocessing.process"]
    return bool(process._children)


def pending_work(caller: FrameType) -> dict[int, Any] | None:
    """Return what an executor has given its workers, None if no executor's manager calls."""
    pending: dict[int, Any] | None = getattr(
        caller.f_locals.get("self"), "pending_work_items", None
    )
    return pending


def do_without_psutil(module: Any) -> None:
    """Let the workers of that module of joblib's not ask for their memory, if it is the one."""
    if hasattr(module, "_USE_PSUTIL"):
        module._USE_PSUTIL = False


def set_original_folder(folder: str) -> None:
    """Say where child processes will look for the main module."""
    process: Any = sys.modules.get("multiprocessing.process")
    if process is not None:
        process.ORIGINAL_DIR = folder


# --- debuggers ------------------------------------------------------------------------------------


def map_paths_of_debugpy(theirs: str, ours: str) -> None:
    """Let debugpy know a folder by another name, whatever else the editor maps.

    An editor says which folders are the same when it attaches, but it cannot know the name of a
    workspace beforehand; what it says would replace what was set before.
    """
    importlib.import_module("debugpy.server.api")  # which lets the next one be found
    pydevd_file_utils = importlib.import_module("pydevd_file_utils")

    real = pydevd_file_utils.setup_client_server_paths

    def set_up(paths: list[tuple[str, str]]) -> None:
        real([(theirs, ours), *paths])

    pydevd_file_utils.setup_client_server_paths = set_up  # type: ignore[attr-defined]  # its module
    set_up([])
