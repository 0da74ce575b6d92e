"""The checks' end of one running submission: what was sent to it, what it said, how it ended."""

from __future__ import annotations

import asyncio
import base64
import os
import re
import select
import signal
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ml_api_lab.errors import Dead, StartFailed, SubmissionFault
from ml_api_lab.lab_time import Span
from ml_api_lab.protocol.link import BadFrame, LinkClosed
from ml_api_lab.protocol.messages import (
    Beat,
    Body,
    Disconnect,
    Done,
    Grant,
    Head,
    Idle,
    Journal,
    Message,
    Paused,
    Problem,
    Ready,
    Request,
    Start,
    Stop,
    Waiting,
    Where,
)
from ml_api_lab.sandbox.clock import Clock
from ml_api_lab.sandbox.host_pool import HostPool
from ml_api_lab.sandbox.output import Output
from ml_api_lab.sandbox.transcript import Asked, Frame, Raised, Transcript

OUTPUT_LIMIT = 32 * 1024 * 1024
"""What a submission may print in one check, in bytes."""

ANSWERS_LIMIT = 64 * 1024 * 1024
"""What a submission may answer in one check, in bytes as they are sent."""

_TRACE_LIMIT = 64 * 1024
_SLICE = 0.25
_DYING = 5.0


@dataclass
class Exchange:
    """One request and what has come back for it; `body` once all of its pieces have."""

    request: Request
    sent: Span
    answered: asyncio.Future[Exchange]
    asked: Asked
    status: int = 0
    headers: list[list[str]] = field(default_factory=list)
    pieces: list[bytes] = field(default_factory=list)
    body: bytes = b""
    completed: Span | None = None


class Submission:
    """A submission in a process of its own.

    Args:
        hosts: where to take the process from.
        clock: the clock of the check.
        transcript: where to record what happens.
        start: what to run, and how.
        debugging: whether the debugger may stop the budget of real time.
    """

    def __init__(
        self,
        hosts: HostPool,
        clock: Clock,
        transcript: Transcript,
        start: Start,
        *,
        debugging: bool = False,
    ) -> None:
        loop = asyncio.get_running_loop()
        self.transcript = transcript
        self.beats: list[Span] = []
        self.journal: list[tuple[Span, Journal]] = []
        self.ready: asyncio.Future[None] = loop.create_future()
        self.done: asyncio.Future[int] = loop.create_future()
        self.next: int | None = None
        self.posted = False
        self._hosts = hosts
        self._clock = clock
        self._start = start
        self._debugging = debugging
        self._paused: float | None = None
        self._stopping = False
        self._exchanges: dict[int, Exchange] = {}
        self._inbox: list[Message] = []
        self._waiting: tuple[Frame, ...] = ()
        self._fault: Dead | None = None
        self._told = False
        for future in (self.ready, self.done):
            # A failure that nobody waits for is in the transcript.
            future.add_done_callback(lambda each: each.cancelled() or each.exception())
        self._link, self._pid = hosts.acquire()
        # Only now: without a host nobody would close it.
        self._output = Output(Path(start.output), transcript)
        self._ended = False
        self._detach: Callable[[], None] = lambda: None
        clock.join(self)
        self.post(start)

    # --- what the handle asks for -----------------------------------------------------------------

    def post(self, message: Message) -> None:
        """Send a message: on the lab clock it leaves when the checks have nothing else to do."""
        if self._fault is not None:
            self._told = True
            raise self._fault
        in_turns = self._clock.name == "lab"
        self.posted = in_turns
        try:
            (self._link.hold if in_turns else self._link.send)(message)
        except LinkClosed:
            self._break_off(self._obituary())
            if not in_turns:
                self.deliver()  # nobody watches the link any more

    async def ask(
        self, method: str, target: str, headers: list[list[str]], body: bytes
    ) -> Exchange:
        """Send a request and wait for its whole answer.

        Raises:
            SubmissionFault: no answer will come.
        """
        number = len(self._exchanges) + 1
        data = base64.b64encode(body).decode()
        request = Request(number, method, target, headers, data)
        answered: asyncio.Future[Exchange] = asyncio.get_running_loop().create_future()
        asked = self.transcript.request(self._clock.now, method, target, headers, body)
        exchange = Exchange(request, self._clock.now, answered, asked)
        self._exchanges[number] = exchange
        self.post(request)
        try:
            return await answered
        except asyncio.CancelledError:
            if self._fault is None:
                self.post(Disconnect(number))
            raise

    async def stop(self) -> None:
        """Shut the application down in order, if it still runs.

        Raises:
            SubmissionFault: it did not end, or had died before and nobody has been told.
        """
        if self._fault is None:
            self._stopping = True
            self.post(Stop())
            await self.done
        elif not self._told:
            raise self._fault

    def close(self) -> None:
        """End the process and whatever it has started; closing again does nothing."""
        if self._output.closed:
            return
        self._clock.part(self)
        self._hang_up()
        self._output.close(self._clock.now)
        for future in (self.ready, self.done):
            future.cancel()

    # --- what the clock asks for ------------------------------------------------------------------

    def grant(self, now: int) -> None:
        self.posted = False
        self.next = None
        if self._fault is None:
            try:
                self._link.send(Grant(now))
            except LinkClosed:
                self._break_off(self._obituary())

    def settle(self) -> None:
        # Asked first: who is idle again at once, time after time, would never be waited for.
        while self._fault is None and not self._too_late():
            try:
                while (message := self._link.next()) is not None:
                    if isinstance(message, Idle):
                        self.next = message.next
                        return
                    self._take_in(message)
                    if isinstance(message, Done):
                        return
                self._await_bytes()
            except LinkClosed:
                self._break_off(self._obituary())
            except BadFrame as error:
                self._break_off(f"The submission's process broke the link to the checks: {error}.")

    def deliver(self) -> bool:
        self._output.record(self._clock.now)
        inbox, self._inbox = self._inbox, []
        heard = [self._hear(message) for message in inbox]
        if self._fault is not None:
            heard.append(self._fail(self._fault))
        return any(heard)

    def stall(self, reason: str) -> bool:
        if not self._someone_waits():
            return False
        self._find_out_where()
        where = "".join(f"; it stands at {each}" for each in self._waiting[:3])
        return self._fail(SubmissionFault(f"{self._doing()} has waited {reason}{where}."))

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        descriptor = self._link.fileno()

        def detach() -> None:
            if not loop.is_closed():
                loop.remove_reader(descriptor)

        def readable() -> None:
            try:
                self._link.fill()
                while (message := self._link.next()) is not None:
                    self._take_in(message)
            except LinkClosed:
                self._break_off(self._obituary())
            except BadFrame as error:
                self._break_off(f"The submission's process broke the link to the checks: {error}.")
            self.deliver()
            if self._fault is None and self.done.done():
                detach()

        def poll() -> None:
            if self._ended:
                return
            self._output.record(self._clock.now)
            if self._too_late() or self._said_too_much():
                self.deliver()
            else:
                loop.call_later(0.02, poll)

        self._detach = detach
        loop.add_reader(descriptor, readable)
        poll()

    # --- hearing ----------------------------------------------------------------------------------

    def _take_in(self, message: Message) -> None:
        """Keep a message to be heard; the debugger stops the budget at once."""
        self._inbox.append(message)
        if isinstance(message, Paused) and self._debugging:
            now = time.monotonic()
            if self._paused is not None:
                self._clock.give_up += now - self._paused
            self._paused = now if message.inside else None

    def _hear(self, message: Message) -> bool:
        """Take in what the submission said; return whether somebody has waited for it."""
        now = self._clock.now
        match message:
            case Ready():
                return _resolve(self.ready, None)
            case Done():
                return self._hear_done(message)
            case Beat():
                self.beats.append(now)
            case Journal():
                self.journal.append((now, message))
            case Waiting():
                self._waiting = self.transcript.places(message.frames)
            case Problem():
                return self._hear_problem(message)
            case Head():
                self._hear_head(message)
            case Body():
                return self._hear_body(message)
        return False

    def _hear_done(self, done: Done) -> bool:
        if self._start.mode in ("serve", "mount") and not self._stopping:
            failed = self.ready.done() and self.ready.exception() is not None
            if not failed:
                self._break_off(
                    f"{self._doing()} ended the program with exit status {done.status}."
                )
        self.next = None
        return _resolve(self.done, done.status)

    def _hear_head(self, head: Head) -> None:
        exchange = self._exchanges.get(head.id)
        if exchange is None or exchange.status:
            return
        exchange.status = head.status
        # Only what a host can have written: pairs, in Latin-1.
        exchange.headers = [
            each
            for each in head.headers
            if len(each) == 2 and max("".join(each), default="") < "\u0100"
        ]

    def _hear_body(self, body: Body) -> bool:
        exchange = self._exchanges.get(body.id)
        if exchange is None or exchange.status == 0 or exchange.completed is not None:
            return False
        try:
            exchange.pieces.append(base64.b64decode(body.data, validate=True))
        except ValueError:
            return False
        if body.more:
            return False
        now = self._clock.now
        exchange.body = b"".join(exchange.pieces)
        exchange.completed = now
        self.transcript.answer(
            now, exchange.asked, exchange.status, exchange.headers, exchange.body
        )
        return _resolve(exchange.answered, exchange)

    def _hear_problem(self, problem: Problem) -> bool:
        frames = self.transcript.places(problem.frames)
        text = self.transcript.local(problem.text)
        if problem.stage == "app":
            why = f"{text}; `uvicorn main:app` serves what has that name."
            return self._fail(StartFailed(why, problem.type, text))
        now = self._clock.now
        raised = Raised(problem.type, text, frames, problem.stage, problem.request, now)
        self.transcript.error(raised)
        where = f" ({frames[-1]})" if frames else ""
        if problem.stage == "lifespan":
            self.transcript.note(
                now,
                "!! The application goes on without its lifespan, as under uvicorn, because it "
                f"raised {raised.headline} when the lifespan was to begin{where}.",
            )
        if problem.stage == "request":
            return self._hear_failure(problem.request, f"{raised.headline}{where}")
        if problem.stage not in ("import", "startup"):
            return False
        what = {
            "import": f"Importing {self._start.file} failed",
            "startup": "The application did not start",
        }[problem.stage]
        return self._fail(StartFailed(f"{what}: {raised.headline}{where}.", problem.type, text))

    def _hear_failure(self, request: int, why: str) -> bool:
        """Fail an answer that has begun and gets no end; return whether somebody waits for it."""
        exchange = self._exchanges.get(request)
        if exchange is None or not exchange.status or exchange.answered.done():
            return False
        asked = f"{exchange.request.method} {exchange.request.target}"
        sentence = f"{asked} was answered {exchange.status}, and broken off by {why}."
        self.transcript.note(self._clock.now, f"!! {sentence}")
        exchange.answered.set_exception(SubmissionFault(sentence))
        return True

    # --- failing ----------------------------------------------------------------------------------

    def _someone_waits(self) -> bool:
        return any(not each.done() for each in self._awaited())

    def _awaited(
        self,
    ) -> list[asyncio.Future[None] | asyncio.Future[int] | asyncio.Future[Exchange]]:
        pending = [each.answered for each in self._exchanges.values()]
        return [*pending, self.ready, self.done]

    def _fail(self, fault: SubmissionFault) -> bool:
        """Fail whoever waits for the submission; return whether somebody did."""
        waiting = [future for future in self._awaited() if not future.done()]
        for future in waiting:
            future.set_exception(fault)
            # Nobody waits for an application's end but `stop`, which asks for itself.
            self._told |= future is not self.done
        return bool(waiting)

    def _break_off(self, sentence: str) -> None:
        """The process is of no more use: end it, and remember why."""
        if self._fault is None:
            self._fault = Dead(sentence)
            self.next = None
            self.transcript.note(self._clock.now, f"!! {sentence}")
        self._hang_up()

    def _hang_up(self) -> None:
        """End the process and the link to it."""
        if not self._ended:
            self._ended = True
            self._hosts.terminate(self._pid)
            # While it is open: a loop still watching would take the next link for this one.
            self._detach()
            self._link.close()

    def _await_bytes(self) -> None:
        """Wait for bytes on the link, for as long as the limits allow."""
        while not self._too_late() and not self._said_too_much():
            left = min(_SLICE, self._clock.give_up - time.monotonic())
            if self._paused is not None:
                left = _SLICE
            if select.select([self._link], [], [], max(0.0, left))[0]:
                self._link.fill()
                return

    def _too_late(self) -> bool:
        if self._paused is not None or time.monotonic() < self._clock.give_up:
            return False
        where = self._last_line()
        self._break_off(
            f"{self._doing()} did not come to rest within {self._clock.budget:g} s of real time"
            f"{where}: it computes without end (for which no lab time passes), or waits for "
            "something outside the lab."
        )
        return True

    def _said_too_much(self) -> bool:
        for what, size, limit in (
            ("printed", self._output.size, OUTPUT_LIMIT),
            ("sent", self._link.received, ANSWERS_LIMIT),
        ):
            if size > limit:
                self._break_off(
                    f"{self._doing()} {what} more than {limit // 2**20} MB, and was ended for it."
                )
                return True
        return False

    def _obituary(self) -> str:
        """Say how the process ended by itself."""
        status = self._hosts.wait_for_exit(self._pid, _DYING)
        if status is None:
            return f"{self._doing()} closed its connection to the checks."
        if status < 0:
            try:
                name = signal.Signals(-status).name
            except ValueError:
                name = f"signal {-status}"
            return f"{self._doing()} was ended by {name}."
        return f"{self._doing()} ended its own process with exit status {status}."

    def _doing(self) -> str:
        """Return what the submission is at, as the subject of a sentence."""
        pending = [each for each in self._exchanges.values() if each.completed is None]
        if pending:
            request = pending[0].request
            return f"The application, asked for {request.method} {request.target},"
        if self._start.mode == "run":
            return f"The script {self._start.file}"
        if not self.ready.done():
            return f"Importing or starting {self._start.file}"
        if self._stopping:
            return "The application, told to shut down,"
        return "The application, at work behind its answers,"

    def _find_out_where(self) -> None:
        self._waiting = ()
        try:
            self.post(Where())
        except Dead:
            return
        self.grant(self._clock.now)
        self.settle()
        for message in self._inbox:
            self._hear(message)
        self._inbox.clear()

    def _last_line(self) -> str:
        """Ask a busy process where it is, by a signal that needs none of its help."""
        if not hasattr(signal, "SIGUSR1"):
            return ""
        try:
            os.kill(self._pid, signal.SIGUSR1)
        except (ProcessLookupError, PermissionError):
            return ""
        time.sleep(0.1)
        folder = re.escape(os.path.realpath(self._start.folder))
        trace = _read_file(self._start.output + ".where")
        found = re.search(rf'File "({folder}/[^"\n]+)", line (\d+) in (\S+)', trace)
        if found is None:
            return ""
        places = self.transcript.places([[found[1], found[2], found[3], ""]])
        return f" (it was at {places[0]})" if places else ""


def _read_file(path: str) -> str:
    """Return how a file begins that a submission may have replaced by anything (POSIX)."""
    try:
        number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError:
        return ""
    with open(number, "rb") as file:
        plain = stat.S_ISREG(os.fstat(number).st_mode)
        return file.read(_TRACE_LIMIT).decode(errors="replace") if plain else ""


def _resolve(future: asyncio.Future, value: object) -> bool:  # type: ignore[type-arg]
    if future.done():
        return False
    future.set_result(value)
    return True
