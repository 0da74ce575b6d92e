"""The checks' side of one running submission: what it is sent, what it sends, how it ends."""

from __future__ import annotations

import asyncio
import itertools
import select
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ml_api_lab.errors import Dead, Late, StartFailed, SubmissionFault, UntimedRead
from ml_api_lab.lab_time import Span
from ml_api_lab.protocol import messages
from ml_api_lab.protocol.link import BadFrame, LinkClosed
from ml_api_lab.protocol.messages import Message, Problem, Start
from ml_api_lab.sandbox import diagnosis
from ml_api_lab.sandbox.clock import Clock, WallLoop
from ml_api_lab.sandbox.exchanges import Exchange, Exchanges
from ml_api_lab.sandbox.hosts.host_pool import HostPool
from ml_api_lab.sandbox.limits import Limits, has_timed_out
from ml_api_lab.sandbox.models import Reply
from ml_api_lab.sandbox.output import Output
from ml_api_lab.sandbox.transcript import Frame, Raised, Transcript

_POLL_SECONDS = 0.25
"""How often to look at the limits while nothing comes."""

_EXIT_TIMEOUT_SECONDS = 5.0
"""How long a process may take to end after it has closed its connection."""

_LEAST_SEND_SECONDS, _MOST_SEND_SECONDS = 0.2, 120.0
"""How long a submission may take to receive a message, depending on what is left of its budget."""

_MAX_QUESTIONS = 5_000
"""How often a submission may load or ask models."""

_WATCH_SECONDS = 0.02
"""How often what is printed is recorded on the wall clock."""


class Submission:
    """A submission in a process of its own.

    Args:
        hosts: where to take the process from.
        clock: the clock of the check.
        transcript: where to record what happens.
        start: what to run, and how.
        answer_models: knows the models of the check.
        on_awaits_debugger: is told the port at which the submission waits for a debugger.
    """

    def __init__(
        self,
        hosts: HostPool,
        clock: Clock,
        transcript: Transcript,
        start: Start,
        answer_models: Reply,
        *,
        on_awaits_debugger: Callable[[int], None] | None = None,
    ) -> None:
        loop = asyncio.get_running_loop()
        self.transcript = transcript
        self.beats: list[Span] = []
        self.report = ""
        self.ready: asyncio.Future[None] = loop.create_future()
        self.done: asyncio.Future[int] = loop.create_future()
        self.next_moment: Span | None = None
        self.has_pending_messages = False
        self._hosts = hosts
        self._clock = clock
        self._start = start
        self._on_awaits_debugger = on_awaits_debugger
        self._answer_models, self._questions = answer_models, itertools.count()
        self._paused_since: float | None = None
        self._exchanges = Exchanges(clock, transcript)
        self._inbox: list[Message] = []
        self._places: tuple[Frame, ...] = ()
        self._fault: Dead | None = None
        self._is_stopping = self._is_fault_known = self._is_terminated = False
        for future in (self.ready, self.done):
            # A failure that nobody waits for is in the transcript.
            future.add_done_callback(lambda each: each.cancelled() or each.exception())
        self._link, self._pid = hosts.acquire()
        # Only now: without a host nobody would close it.
        self._output = Output(Path(start.output), transcript)
        self._limits = Limits(self._output, Path(start.workspace), self._link)
        self._detach: Callable[[], None] = lambda: None
        clock.join(self)
        self.send(start)

    # --- what the handle asks for -----------------------------------------------------------------

    def send(self, message: Message) -> None:
        """Send a message: on the lab clock it leaves when the checks have nothing else to do."""
        if self._fault is not None:
            self._is_fault_known = True
            raise self._fault
        in_turns = self._clock.name == "lab"
        self._clock.allow_wait(time.monotonic())
        self.has_pending_messages = in_turns
        try:
            (self._link.send_later if in_turns else self._link.send)(message)
        except LinkClosed:
            self._abort_ended()
            if not in_turns:
                self.deliver()  # nobody watches the link any more

    def _send_now(self, message: Message) -> None:
        """Send a message that a submission must take within its budget: it may never read."""
        if self._paused_since is None:
            left = self._clock.budget_end - time.monotonic()
            self._link.limit_waiting(min(max(left, _LEAST_SEND_SECONDS), _MOST_SEND_SECONDS))
        self._link.send(message)

    async def request(
        self, method: str, target: str, headers: list[list[str]], body: bytes
    ) -> Exchange:
        """Send a request and wait for its whole answer.

        Raises:
            SubmissionFault: no answer will come.
        """
        exchange = self._exchanges.open(method, target, headers, body)
        self.send(exchange.request)
        try:
            return await exchange.answered
        except asyncio.CancelledError:
            if self._fault is None:
                self.send(messages.Disconnect(exchange.request.id))
            raise

    async def stop(self) -> None:
        """Shut the application down in order, if it still runs.

        Raises:
            SubmissionFault: it did not end, or had died before and nobody has been told.
        """
        if self._fault is None:
            self._is_stopping = True
            self.send(messages.Stop())
            await self.done
        elif not self._is_fault_known:
            raise self._fault

    def close(self) -> None:
        """End the process and whatever it has started; closing again does nothing."""
        if self._output.is_closed:
            return
        self._clock.leave(self)
        self._terminate()
        self._output.close(self._clock.now)
        for future in (self.ready, self.done):
            future.cancel()

    # --- what the clock asks for ------------------------------------------------------------------

    def grant(self, now: Span) -> None:
        self.has_pending_messages = False
        self.next_moment = None
        if self._fault is None:
            with self._aborting_on_link_errors():
                self._send_now(messages.Grant(now))

    def wait_until_idle(self) -> None:
        # Asked first: who is idle again at once, time after time, would never be waited for.
        while self._fault is None and not self._ends_by_time_out():
            with self._aborting_on_link_errors():
                while (message := self._link.next_message()) is not None:
                    if isinstance(message, messages.Idle):
                        self.next_moment = None if message.next is None else Span(message.next)
                        return
                    self._enqueue(message)
                    if isinstance(message, messages.Done) or self._fault is not None:
                        return
                self._await_bytes()

    def deliver(self) -> bool:
        self._output.record(self._clock.now)
        inbox, self._inbox = self._inbox, []
        delivered = [self._handle(message) for message in inbox]
        if self._fault is not None:
            delivered.append(self._fail_waiting(self._fault))
        return any(delivered)

    def fail_waiting(self, reason: str) -> bool:
        if all(future.done() for future in self._awaited()):
            return False
        self._locate_waiting()
        where = "".join(f"; it stands at {each}" for each in self._places[:3])
        return self._fail_waiting(SubmissionFault(f"{self._subject()} has waited {reason}{where}."))

    def watch(self, loop: WallLoop) -> None:
        descriptor = self._link.fileno()

        def detach() -> None:
            if not loop.is_closed():
                loop.remove_reader(descriptor)

        def readable() -> None:
            with self._aborting_on_link_errors():
                self._link.read_more()
                while (message := self._link.next_message()) is not None:
                    self._enqueue(message)
            self.deliver()
            if self._fault is None and self.done.done():
                detach()

        def poll() -> None:
            if self._is_terminated:
                return
            self._output.record(self._clock.now)
            if self._ends_by_time_out() or self._is_over_limits():
                self.deliver()
            else:
                loop.call_unnoticed(_WATCH_SECONDS, poll)

        self._detach = detach
        loop.add_reader(descriptor, readable)
        poll()

    # --- messages ---------------------------------------------------------------------------------

    def _enqueue(self, message: Message) -> None:
        """Keep a message to be handled; models answer at once, and the debugger stops the budget.

        Raises:
            LinkClosed: it does not read the answers.
        """
        if isinstance(message, messages.LoadModel | messages.AskModel):
            if next(self._questions) >= _MAX_QUESTIONS:
                self._abort(f"{self._subject()} asked its models more than {_MAX_QUESTIONS} times.")
            elif self._fault is None:
                self._send_now(self._answer_models(self._clock.now, message))
            return
        self._inbox.append(message)
        if isinstance(message, messages.Paused) and self._start.terminal is not None:
            now = time.monotonic()
            if self._paused_since is not None:
                self._clock.budget_end += now - self._paused_since
            self._paused_since = now if message.inside else None

    def _handle(self, message: Message) -> bool:
        """Take in what the submission said; return whether somebody has waited for it."""
        now = self._clock.now
        match message:
            case messages.Ready():
                return _resolve(self.ready, None)
            case messages.Done():
                return self._handle_done(message)
            case messages.Beat():
                self.beats.append(now)
            case messages.Waiting():
                self._places = self.transcript.places(message.frames)
            case messages.Report():
                self.report = message.text
            case messages.AwaitsDebugger() if self._on_awaits_debugger is not None:
                self._on_awaits_debugger(message.port)
            case Problem():
                return self._handle_problem(message)
            case messages.Head():
                self._exchanges.receive_head(message)
            case messages.Body():
                return self._exchanges.receive_body(message)
        return False

    def _handle_done(self, done: messages.Done) -> bool:
        is_running = self._start.mode in ("serve", "mount") and not self._is_stopping
        if is_running and not (self.ready.done() and self.ready.exception()):
            self._abort(f"{self._subject()} ended the program with exit status {done.status}.")
        self.next_moment = None
        return _resolve(self.done, done.status)

    def _handle_problem(self, problem: Problem) -> bool:
        frames = self.transcript.places(problem.frames)
        text = self.transcript.local(problem.text)
        if problem.stage == "app":
            why = f"{text}; `uvicorn main:app` serves what has that name."
            return self._fail_waiting(StartFailed(why, problem.type, text))
        now = self._clock.now
        raised = Raised(problem.type, text, frames, problem.stage, problem.request, now)
        self.transcript.error(raised)
        where = f" ({frames[-1]})" if frames else ""
        if problem.stage == "lifespan":
            self.transcript.note(now, diagnosis.of_a_missing_lifespan(raised.headline, where))
        if problem.stage == "request":
            return self._exchanges.break_off(problem.request, f"{raised.headline}{where}")
        if problem.stage not in ("import", "startup"):
            return False
        why = diagnosis.of_a_failed_start(problem.stage, self._start.file, raised.headline, where)
        return self._fail_waiting(StartFailed(why, problem.type, text))

    # --- failing ----------------------------------------------------------------------------------

    def _awaited(self) -> list[asyncio.Future[Any]]:
        return [*self._exchanges.answers, self.ready, self.done]

    def _fail_waiting(self, fault: SubmissionFault) -> bool:
        """Fail whoever waits for the submission; return whether somebody did."""
        waiting = [future for future in self._awaited() if not future.done()]
        for future in waiting:
            future.set_exception(fault)
            # Nobody waits for an application's end but `stop`, which asks for itself.
            self._is_fault_known |= future is not self.done
        return bool(waiting)

    def _abort(self, fault: str | Dead) -> None:
        """The process is of no more use: end it, and remember why."""
        if self._fault is None:
            self._fault = Dead(fault) if isinstance(fault, str) else fault
            self.next_moment = None
            self.transcript.note(self._clock.now, f"!! {self._fault}")
        self._terminate()

    def _abort_ended(self) -> None:
        """The process has closed its connection: remember how it ended."""
        status = self._hosts.wait_for_exit(self._pid, _EXIT_TIMEOUT_SECONDS)
        self._abort(f"{self._subject()} {diagnosis.how_it_ended(status)}.")

    @contextmanager
    def _aborting_on_link_errors(self) -> Iterator[None]:
        try:
            yield
        except LinkClosed:
            self._abort_ended()
        except BadFrame as error:
            self._abort(f"The submission's process broke the link to the checks: {error}.")

    def _terminate(self) -> None:
        """End the process and the link to it."""
        if not self._is_terminated:
            self._is_terminated = True
            self._hosts.terminate(self._pid)
            # While it is open: a loop still watching would take the next link for this one.
            self._detach()
            self._link.close()

    def _await_bytes(self) -> None:
        """Wait for bytes on the link, for as long as the limits allow."""
        while not self._ends_by_time_out() and not self._is_over_limits():
            left = min(_POLL_SECONDS, self._clock.budget_end - time.monotonic())
            if self._paused_since is not None:
                left = _POLL_SECONDS
            if select.select([self._link], [], [], max(0.0, left))[0]:
                self._link.read_more()
                return

    def _ends_by_time_out(self) -> bool:
        """End the submission if the check's budget is used up; return whether it was."""
        if self._paused_since is not None or not has_timed_out(self._clock):
            return False
        budget = f"{self._clock.budget:g} s of real time"
        late = f"{self._subject()} did not come to rest within {budget}"
        in_lab_time = self._clock.name == "lab"
        if in_lab_time and (read := diagnosis.untimed_read(self._link, self.transcript)):
            self._abort(UntimedRead(f"{late}: {read}."))
            return True
        where = diagnosis.where_it_is(self._hosts, self._pid, self._start, self.transcript)
        why = diagnosis.of_a_busy_process(where, in_lab_time=in_lab_time)
        self._abort(Late(f"{late}{why}.", f"{where.file} {where.function}" if where else ""))
        return True

    def _is_over_limits(self) -> bool:
        excess = self._limits.excess()
        if excess is not None:
            self._abort(f"{self._subject()} {excess}.")
        return excess is not None

    def _subject(self) -> str:
        pending = self._exchanges.pending
        return diagnosis.subject(
            self._start,
            pending[0].name if pending else "",
            is_ready=self.ready.done(),
            is_stopping=self._is_stopping,
        )

    def _locate_waiting(self) -> None:
        self._places = ()
        try:
            self.send(messages.Where())
        except Dead:
            return
        self.grant(self._clock.now)
        self.wait_until_idle()
        for message in self._inbox:
            self._handle(message)
        self._inbox.clear()


def _resolve(future: asyncio.Future[Any], value: object) -> bool:
    if future.done():
        return False
    future.set_result(value)
    return True
