"""A forked process as if it had been started by ``python ...`` or another command: real servers.

A fresh interpreter needs most of a second before a server of its listens, since it imports FastAPI.
A fork of one that has imported it needs some milliseconds, and behaves the same: `__main__`, the
arguments, the import path, the streams and their buffers, exit statuses, tracebacks.
"""

from __future__ import annotations

import builtins
import importlib
import io
import os
import runpy
import signal
import sys
import tempfile
import time
import types
from collections.abc import Sequence
from typing import Any

from ml_api_lab.host import internals
from ml_api_lab.host.isolation import without_psutil
from ml_api_lab.host.own_modules import IMPORT_PATH, PACKAGE_NAME, give_way
from ml_api_lab.host.program import exit_status, flush
from ml_api_lab.protocol.messages import Execute

_NO_FILE_STATUS = 2
"""With what Python ends where there is no such file."""

_NOT_EXECUTABLE_STATUS = 127
"""With what a shell ends where there is no such program."""


def become(program: Execute, ignored: Sequence[int] = ()) -> int:
    """Run the program to its end; return the status that its process is to end with.

    Args:
        ignored: the signals that it ignores from the start.
    """
    if not program.is_python:
        return _execute(program)
    _set_up_process(program)
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)
    try:
        _run(program.arguments)
        status = 0
    except SystemExit as error:
        status = exit_status(error)
    except BaseException as error:
        _print_traceback(error)
        status = 1
        if isinstance(error, KeyboardInterrupt):
            status = -signal.SIGINT
    _finalize()
    if status < 0:
        # As Python does, so that who has started it sees by what it ended.
        signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    return status


def _execute(program: Execute) -> int:
    """Replace this process by a program that is not Python's."""
    _enter_folder(program)
    # What Python ignores in its own processes, a program that it starts must not.
    for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execvpe(program.arguments[0], program.arguments, program.environment)
    except OSError as error:
        print(f"{program.arguments[0]}: {error.strerror}", file=sys.stderr, flush=True)
    return _NOT_EXECUTABLE_STATUS


def _enter_folder(program: Execute) -> None:
    """Take on the program's folder and what it reads and writes, if that is not so already."""
    os.chdir(program.folder)
    if not program.output:
        return
    output = os.open(program.output, os.O_WRONLY | os.O_APPEND)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for descriptor, source in ((0, nothing), (1, output), (2, output)):
        os.dup2(source, descriptor)
    os.close(output)
    os.close(nothing)


def _set_up_process(program: Execute) -> None:
    """Take on the program's folder, environment and streams."""
    os.environ.clear()
    os.environ.update(program.environment)
    without_psutil.tell_children(os.environ)
    tempfile.tempdir = None  # known from before, and another folder's
    time.tzset()
    _enter_folder(program)
    unbuffered = bool(program.environment.get("PYTHONUNBUFFERED"))
    sys.stdin = open(0, encoding="utf-8", errors="surrogateescape", closefd=False)
    sys.stdout = _stream(1, "surrogateescape", write_through=unbuffered)
    sys.stderr = _stream(2, "backslashreplace", write_through=unbuffered, line_buffering=True)
    internals.set_original_folder(program.folder)
    for name in [each for each in sys.modules if each.partition(".")[0] == PACKAGE_NAME]:
        del sys.modules[name]  # nothing of the lab is beside a server
    sys.dont_write_bytecode = True
    # As in a fresh interpreter; the fork server was started with neither.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    search = program.environment.get("PYTHONPATH")
    sys.path[:] = [*(search.split(os.pathsep) if search else []), *IMPORT_PATH]


def _stream(
    descriptor: int, errors: str, *, write_through: bool, line_buffering: bool = False
) -> io.TextIOWrapper:
    return io.TextIOWrapper(
        open(descriptor, "wb", 0 if write_through else -1, closefd=False),
        "utf-8",
        errors,
        write_through=write_through,
        line_buffering=line_buffering,
    )


def _run(arguments: list[str]) -> None:
    # As `site` does in a fresh interpreter, before anything of the program is on the path.
    sys.modules.pop("sitecustomize", None)
    try:
        importlib.import_module("sitecustomize")
    except Exception as error:
        if not isinstance(error, ImportError) or error.name != "sitecustomize":
            _tell_of_failed_start_up(error)
    first, *rest = arguments
    main: Any = types.ModuleType("__main__")
    main.__builtins__ = builtins
    sys.modules["__main__"] = main
    if first == "-m":
        sys.argv = ["-m", *rest[1:]]
        sys.path.insert(0, os.getcwd())
        give_way(os.getcwd(), is_served=False)
        internals.run_module(rest[0])
        return
    if first == "-c":
        sys.argv = ["-c", *rest[1:]]
        sys.path.insert(0, "")
        give_way(os.getcwd(), is_served=False)
        code = compile(rest[0], "<string>", "exec")
    else:
        sys.argv = [first, *rest]
        folder = os.path.dirname(os.path.realpath(first))
        sys.path.insert(0, folder)
        give_way(folder, is_served=False)
        main.__file__ = os.path.abspath(first)
        main.__cached__ = None
        code = compile(_source(first), main.__file__, "exec")
    exec(code, main.__dict__)


def _tell_of_failed_start_up(error: Exception) -> None:
    """Say what `site` says, which goes on as if nothing had been."""
    print(
        "Error in sitecustomize; set PYTHONVERBOSE for traceback:",
        f"{type(error).__name__}: {error}",
        sep="\n",
        file=sys.stderr,
    )


def _source(file: str) -> bytes:
    try:
        with open(file, "rb") as source:
            return source.read()
    except OSError as error:
        problem = f"[Errno {error.errno}] {error.strerror}"
        path = os.path.abspath(file)
        print(f"{sys.executable}: can't open file {path!r}: {problem}", file=sys.stderr)
        sys.exit(_NO_FILE_STATUS)


def _print_traceback(error: BaseException) -> None:
    """Print the traceback that Python would print, without the frames of this module."""
    flush()
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename in (__file__, runpy.__file__):
        trace = trace.tb_next
    sys.excepthook(type(error), error.with_traceback(trace), trace)


def _finalize() -> None:
    """End as Python does: threads first, then the exit handlers, then what is still buffered."""
    try:
        internals.wait_for_threads()
        internals.run_exit_handlers()
    except BaseException as error:
        _print_traceback(error)
    flush()
