"""The submission as a program: its folder, its output, its main module, run in one of the modes."""

from __future__ import annotations

import asyncio
import faulthandler
import importlib
import linecache
import os
import runpy
import signal
import socket
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType

from ml_api_lab.host import (
    debugger,
    internals,
    loops,
    own_modules,
    tracebacks,
    uvicorn_logging,
)
from ml_api_lab.host.asgi_server import Server
from ml_api_lab.host.clock import CLOCK, start_untracked_thread
from ml_api_lab.host.isolation import without_psutil
from ml_api_lab.host.model_oracle import CheckOracle
from ml_api_lab.host.patches import pipes
from ml_api_lab.host.patches.sleep import real_sleep
from ml_api_lab.host.patches.threads import meet_at_files
from ml_api_lab.protocol import stand_in
from ml_api_lab.protocol.link import BadFrame, Link, LinkClosed
from ml_api_lab.protocol.messages import (
    AwaitsDebugger,
    Beat,
    Body,
    Disconnect,
    Done,
    Grant,
    Head,
    Message,
    ModelAnswers,
    ModelLoaded,
    Paused,
    Problem,
    Ready,
    Report,
    Request,
    Start,
    Stop,
    Waiting,
    Where,
)

_EXECUTOR_THREADS = 32
_LAST_MESSAGE_SECONDS = 0.1
"""How long the last message has to be received, in real time."""


class Program:
    """One submission at work, from `Start` to the end of its process."""

    def __init__(self, link: Link, start: Start, *, is_lab_time: bool) -> None:
        self._link = link
        self._start = start
        self._is_lab_time = is_lab_time
        self._loop: asyncio.AbstractEventLoop | None = None
        self._server: Server | None = None
        self._received_early: list[Message] = []
        self._oracle = CheckOracle(self._send)

    def run(self) -> int:
        """Run the submission; return its exit status."""
        self._set_up_process()
        start_untracked_thread(self._receive_messages, ())
        meet_at_files()
        if self._is_lab_time:
            CLOCK.begin(self._start.now)
            CLOCK.connect(self._report_idle)
        try:
            modes = {"run": self._run, "import": self._import, "evaluate": self._evaluate}
            status = modes.get(self._start.mode, self._serve)()
        except SystemExit as error:
            status = exit_status(error)
        flush()
        self._send(Done(status))
        if os.name == "nt":
            # What is not yet received there is lost when its sender ends.
            real_sleep(_LAST_MESSAGE_SECONDS)
        return status

    # --- the modes ----------------------------------------------------------------------------

    def _run(self) -> int:
        status = 0
        try:
            # The whole path, as `python main.py` has it in __file__ and in tracebacks.
            path = os.path.join(self._start.folder, self._start.file)
            if not own_modules.is_decodable(path):
                # A comment may hold what no import would mind, but `python main.py` does.
                raise SyntaxError
            runpy.run_path(path, run_name="__main__")
        except SystemExit as error:
            status = exit_status(error)
        except BaseException as error:
            self._send(tracebacks.describe(error, self._start.folder, "run"))
            status = 1
        self._finalize()
        return status

    def _finalize(self) -> None:
        """Let pools and threads end, and run the submission's exit handlers."""
        try:
            internals.tell_pools_of_exit()
            for thread in threading.enumerate():
                if thread is not threading.current_thread() and not thread.daemon:
                    thread.join()
            internals.run_exit_handlers()
        except BaseException as error:
            self._send(tracebacks.describe(error, self._start.folder, "run"))

    def _evaluate(self) -> int:
        """Run a text of the checks' own; tell what it leaves in its variable `report`."""
        names: dict[str, object] = {"__name__": "__main__"}
        try:
            exec(compile(self._start.source, self._start.file, "exec"), names)
        except BaseException as error:
            self._send(tracebacks.describe(error, self._start.folder, "run"))
            return 1
        self._send(Report(str(names.get("report", ""))))
        return 0

    def _import(self) -> int:
        if self._main_module() is None:
            return 1
        flush()
        self._send(Ready())
        return 0

    def _serve(self) -> int:
        uvicorn_logging.switch_on()
        module = self._main_module()
        if module is None:
            return 1
        app = getattr(module, "app", None)
        if app is None:
            if hiding := own_modules.hiding_module(module, self._start.folder, self._start.file):
                return self._report_no_app(
                    f"{hiding} hides {self._start.file}, since Python imports it first, and has no "
                    "variable named app",
                    "ImportError",
                )
            return self._report_no_app(f"{self._start.file} has no variable named app")
        if not callable(app):
            kind = type(app).__name__
            return self._report_no_app(f"app in {self._start.file} is no application, but {kind}")
        asyncio.run(self._serve_app(app))
        return 0

    def _report_no_app(self, why: str, kind: str = "") -> int:
        self._send(Problem(stage="app", request=0, type=kind, text=why, frames=[]))
        return 1

    async def _serve_app(self, app: object) -> None:
        with CLOCK.mutex:
            self._server = Server(
                app,  # type: ignore[arg-type]  # whatever it is, it is asked as one
                self._start.folder,
                self._send,
                lifespan=self._start.mode == "serve",
            )
            self._loop = asyncio.get_running_loop()
            for message in self._received_early:
                self._server.handle(message)
        await self._server.run()

    def _main_module(self) -> ModuleType | None:
        """Import the submission's file; tell why if that fails."""
        # A server started at import would run for ever.
        socket.socket.listen = _refuse_to_listen  # type: ignore[method-assign,assignment]  # until it is in
        try:
            return importlib.import_module(Path(self._start.file).stem)
        except BaseException as error:
            self._send(tracebacks.describe(error, self._start.folder, "import"))
            return None
        finally:
            del socket.socket.listen

    # --- the process --------------------------------------------------------------------------

    def _set_up_process(self) -> None:
        """Take on the submission's folder, environment, output and import path."""
        start = self._start
        os.environ.clear()
        os.environ.update(start.environment)
        without_psutil.tell_children(os.environ)
        tempfile.tempdir = None  # known from before, and another folder's
        if hasattr(time, "tzset"):
            time.tzset()
        os.chdir(start.folder)
        output = os.open(start.output, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.close(output)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        sys.stdin = open(0, encoding="utf-8", closefd=False)
        sys.stdout = open(1, "w", buffering=1, encoding="utf-8", closefd=False)
        sys.stderr = open(
            2, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False
        )
        internals.set_original_folder(start.folder)
        internals.forget_exit_handlers()  # what the fork server would do at its own end
        sys.argv = [start.file]
        sys.dont_write_bytecode = True
        sys.path[:] = own_modules.IMPORT_PATH
        if start.mode != "evaluate":
            sys.path.insert(0, start.folder)
            own_modules.give_way(start.folder, is_served=start.mode in ("serve", "mount"))
        # An executor has as many threads as the machine has cores plus four, so that what
        # asyncio.to_thread can do at once would depend on the machine.
        os.cpu_count = lambda: _EXECUTOR_THREADS - 4
        if hasattr(os, "process_cpu_count"):
            os.process_cpu_count = lambda: _EXECUTOR_THREADS - 4
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=CLOCK.disconnect)
        if hasattr(faulthandler, "register"):
            # Where a submission is that no longer answers; works without the interpreter's help.
            trace = open(f"{start.output}.where", "w", encoding="utf-8")
            faulthandler.register(signal.SIGUSR1, file=trace)
        warnings.formatwarning = partial(_format_warning, start.folder)
        if start.debugger is None:
            debugger.install(start.terminal, lambda inside: self._send(Paused(inside)))
        else:
            port = start.debugger
            folders = (start.original, start.folder)
            debugger.attach(port, folders, lambda: self._send(AwaitsDebugger(port)))
        self._oracle.serve_forks()
        stand_in.oracle = self._oracle
        loops.watch(start.beat / 1e9 if start.beat else None, lambda: self._send(Beat()))

    def _send(self, message: Message) -> None:
        # In lab time nobody acts on these before all is idle, so they leave with the report of it.
        can_wait = self._is_lab_time and isinstance(message, Head | Body | Beat)
        try:
            (self._link.send_later if can_wait else self._link.send)(message)
        except LinkClosed:
            os._exit(1)

    def _report_idle(self, message: Message) -> None:
        # What has been printed belongs to the moment before the clock moves.
        flush()
        self._send(message)

    def _receive_messages(self) -> None:
        """Receive until the checks' side is gone; runs in a thread of its own."""
        acts: list[Callable[[], None]] = []
        try:
            while True:
                message = self._link.receive()
                if isinstance(message, ModelLoaded | ModelAnswers):
                    self._oracle.receive(message)  # at once: whoever asked keeps time from moving
                elif isinstance(message, Grant):
                    CLOCK.grant(message.now, acts)
                    acts = []
                elif self._is_lab_time and not isinstance(message, Where):
                    acts.append(partial(self._handle, message))
                else:
                    self._handle(message)
        except (LinkClosed, BadFrame):
            os._exit(1)

    def _handle(self, message: Message) -> None:
        match message:
            case Where():
                folder = self._start.folder
                self._send(
                    Waiting(
                        tracebacks.waiting_places(folder),
                        tracebacks.reading_places(folder),
                        pipes.tells_reads(),
                    )
                )
            case Request() | Disconnect() | Stop():
                with CLOCK.mutex:
                    if self._loop is None or self._server is None:
                        self._received_early.append(message)
                    elif not self._loop.is_closed():
                        self._loop.call_soon_threadsafe(self._server.handle, message)


def _format_warning(
    folder: str,
    message: Warning | str,
    category: type[Warning],
    file: str,
    number: int,
    line: str | None = None,
) -> str:
    """Return a warning's text, with its place if that lies in the submission."""
    told = f"{category.__name__}: {message}\n"
    if not tracebacks.is_inside(file, folder):
        return told
    source = linecache.getline(file, number).strip() if line is None else line.strip()
    return f"{file}:{number}: {told}" + (f"  {source}\n" if source else "")


def exit_status(error: SystemExit) -> int:
    """Return the status that the interpreter ends with; print what it would print."""
    if error.code is None:
        return 0
    if isinstance(error.code, int):
        return error.code
    print(error.code, file=sys.stderr)
    return 1


def _refuse_to_listen(self: socket.socket, *backlog: int) -> None:
    # On Windows a pair of sockets is made by listening for a moment, and every loop has a pair.
    code = sys._getframe(1).f_code
    if code.co_filename == socket.__file__ and "socketpair" in code.co_name:
        return super(socket.socket, self).listen(*backlog)
    raise RuntimeError("a server was started while the file was imported")


def flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:  # a submission may have closed or replaced it
            pass
