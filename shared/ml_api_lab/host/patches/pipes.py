"""Threads that wait in a read: whether lab time may go on meanwhile.

A read is real waiting, since its answer may come from outside the lab. A pipe whose every write end
is in this process is another matter: only a thread of this process can answer, so whoever reads
from an empty one waits for a thread, as in a queue. (A library that prints in a thread of its own,
such as loguru, has such a pipe.)

Only Linux tells in which system call a thread is, and who has a pipe open. Elsewhere all reads are
real waiting.
"""

from __future__ import annotations

import errno
import os
import select
import selectors
import sys
import threading
from collections.abc import Callable
from functools import partial
from types import FrameType

from ml_api_lab.host.clock import CLOCK, Waiter, start_untracked_thread
from ml_api_lab.host.patches.selector import Selector
from ml_api_lab.host.patches.sleep import real_sleep

_POLL_SECONDS = 0.005
"""How often to look whether a thread has begun to read."""

_PROCESSES = "/proc"
_THREADS = "/proc/self/task"
_DESCRIPTORS = "/proc/self/fd"

# The numbers of the system calls read and readv, and of those that receive from a socket.
_PIPE_READS = {"x86_64": ("0", "19"), "aarch64": ("63", "65"), "riscv64": ("63", "65")}
_SOCKET_READS = {"x86_64": ("45", "47"), "aarch64": ("207", "212"), "riscv64": ("207", "212")}

# Where a thread parks, and what is still inside.
_PARKING = {Waiter.wait.__code__, Selector.select.__code__}
_INSIDE_PARKING = {selectors.__file__, Selector.select.__code__.co_filename}

_MAKERS = [name for name in ("pipe", "pipe2") if hasattr(os, name)]


def install() -> None:
    """Watch for threads that read from pipes, as soon as a submission makes a pipe."""
    watch = _Watch()
    if tells_reads():
        for name in _MAKERS:
            setattr(os, name, partial(watch.begin_and_make, getattr(os, name)))
        os.register_at_fork(before=watch.note_child)


def tells_reads() -> bool:
    """Whether this system says which threads wait in a read."""
    return _machine() in _PIPE_READS and os.path.exists(f"{_THREADS}/{os.getpid()}/syscall")


def reading_threads() -> list[threading.Thread]:
    """Return the threads of the submission that are in a read for which lab time waits.

    Where the system does not tell, these are all threads beside the main one that do not park.
    """
    threads = [each for each in threading.enumerate() if each.native_id is not None]
    if tells_reads():
        calls = {*_PIPE_READS[_machine()], *_SOCKET_READS[_machine()]}
        return [each for each in threads if _is_in_read(each.native_id or 0, calls)]
    frames = sys._current_frames()
    return [
        each
        for each in threads
        if each is not threading.main_thread() and not _is_parked(frames.get(each.ident or 0))
    ]


def _is_parked(frame: FrameType | None) -> bool:
    """Whether a thread whose innermost frame that is stands where lab time knows of it."""
    while frame is not None and frame.f_code not in _PARKING:
        frame = frame.f_back if frame.f_code.co_filename in _INSIDE_PARKING else None
    return frame is not None


def _is_in_read(thread: int, calls: set[str]) -> bool:
    return not CLOCK.is_outside(thread) and calls.issuperset(_system_call(thread)[:1] or [""])


class _Watch:
    """Looks, in a thread of its own, for threads that read from this process's own pipes."""

    def __init__(self) -> None:
        self._has_begun = False
        self._had_children = False

    def begin_and_make(self, make: Callable[..., tuple[int, int]], *flags: int) -> tuple[int, int]:
        """Make a pipe, and begin to watch if a submission is at work."""
        if CLOCK.is_connected and not self._has_begun:
            self._has_begun = True
            start_untracked_thread(self._watch, ())
        return make(*flags)

    def note_child(self) -> None:
        self._had_children = True

    def _watch(self) -> None:
        while True:
            real_sleep(_POLL_SECONDS)
            if not CLOCK.is_anybody_running:
                continue
            for name in os.listdir(_THREADS):
                thread = int(name)
                pipe = _pipe_read_by(thread)
                if pipe and not CLOCK.is_outside(thread):
                    CLOCK.leave_outside(thread, partial(self._waits_for_a_thread, thread, pipe))

    def _waits_for_a_thread(self, thread: int, pipe: str) -> bool:
        """Whether that thread is in a read of that pipe which only this process can answer."""
        # Asked again in the end: it may have read and gone on while the ends were looked at.
        return self._is_own(pipe) and _pipe_read_by(thread) == pipe

    def _is_own(self, pipe: str) -> bool:
        """Whether the pipe is empty, and all of its write ends are in this process."""
        has_write_end = False
        for descriptor in _descriptors(_DESCRIPTORS, pipe):
            if _can_write(descriptor):
                has_write_end = True
            elif _has_data(descriptor):
                return False
        return has_write_end and not self._is_open_elsewhere(pipe)

    def _is_open_elsewhere(self, pipe: str) -> bool:
        try:
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            self._had_children = True
        except ChildProcessError:  # there are none, or none any more
            pass
        if not self._had_children:
            return False
        return any(
            _descriptors(f"{_PROCESSES}/{name}/fd", pipe)
            for name in os.listdir(_PROCESSES)
            if name.isdecimal() and int(name) != os.getpid()
        )


def _machine() -> str:
    return os.uname().machine if sys.platform == "linux" else ""


def _system_call(thread: int) -> list[str]:
    """Return the number and the arguments of the system call in which a thread blocks."""
    try:
        with open(f"{_THREADS}/{thread}/syscall", encoding="ascii") as file:
            return file.read().split()
    except OSError:  # it has ended
        return []


def _pipe_read_by(thread: int) -> str:
    """Return the name of the pipe in a read of which a thread blocks, "" if it does not."""
    call = _system_call(thread)
    if call[:1] not in [[number] for number in _PIPE_READS[_machine()]]:
        return ""
    try:
        name = os.readlink(f"{_DESCRIPTORS}/{int(call[1], 16)}")
    except OSError:
        return ""
    return name if name.startswith("pipe:") else ""


def _descriptors(folder: str, pipe: str) -> list[int]:
    """Return the descriptors of that pipe in a process's folder of descriptors."""
    found = []
    try:
        for name in os.listdir(folder):
            try:
                if os.readlink(f"{folder}/{name}") == pipe:
                    found.append(int(name))
            except FileNotFoundError:  # closed meanwhile
                pass
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ESRCH, errno.EACCES, errno.EPERM):
            raise
    return found


def _can_write(descriptor: int) -> bool:
    with open(f"/proc/self/fdinfo/{descriptor}", encoding="ascii") as file:
        flags = next(line for line in file if line.startswith("flags:"))
    return int(flags.split()[1], 8) & os.O_ACCMODE != os.O_RDONLY


def _has_data(descriptor: int) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))
