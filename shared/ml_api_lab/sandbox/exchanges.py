"""Requests to an application, and what has come back for each of them so far."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass, field

from ml_api_lab.errors import SubmissionFault
from ml_api_lab.lab_time import Span
from ml_api_lab.protocol.messages import Body, Head, Request
from ml_api_lab.sandbox.clock import Clock
from ml_api_lab.sandbox.transcript import RequestRecord, Transcript

ANSWERS_LIMIT_BYTES = 64 * 1024 * 1024
"""What a submission may answer in one check, as it is sent."""


@dataclass
class Exchange:
    """One request and what has come back for it; `body` once all of its pieces have."""

    request: Request
    sent: Span
    answered: asyncio.Future[Exchange]
    record: RequestRecord
    status: int = 0
    headers: list[list[str]] = field(default_factory=list)
    pieces: list[bytes] = field(default_factory=list)
    body: bytes = b""
    completed: Span | None = None

    @property
    def name(self) -> str:
        """The request as a sentence names it: "GET /health"."""
        return f"{self.request.method} {self.request.target}"


class Exchanges:
    """The exchanges of one submission, which may run at the same time.

    What comes from the submission's process is checked: it may answer what nobody has asked.
    """

    def __init__(self, clock: Clock, transcript: Transcript) -> None:
        self._clock = clock
        self._transcript = transcript
        self._by_id: dict[int, Exchange] = {}

    @property
    def pending(self) -> list[Exchange]:
        """Those that have not been answered whole, oldest first."""
        return [each for each in self._by_id.values() if each.completed is None]

    @property
    def answers(self) -> list[asyncio.Future[Exchange]]:
        return [each.answered for each in self._by_id.values()]

    def open(self, method: str, target: str, headers: list[list[str]], body: bytes) -> Exchange:
        """Begin an exchange, and record its request; it is yet to be sent."""
        number = len(self._by_id) + 1
        request = Request(number, method, target, headers, base64.b64encode(body).decode())
        answered: asyncio.Future[Exchange] = asyncio.get_running_loop().create_future()
        record = self._transcript.request(self._clock.now, method, target, headers, body)
        exchange = Exchange(request, self._clock.now, answered, record)
        self._by_id[number] = exchange
        return exchange

    def receive_head(self, head: Head) -> None:
        exchange = self._by_id.get(head.id)
        if exchange is None or exchange.status:
            return
        exchange.status = head.status
        # Only what a host can have written: pairs, in Latin-1.
        exchange.headers = [
            each
            for each in head.headers
            if len(each) == 2 and max("".join(each), default="") < "\u0100"
        ]

    def receive_body(self, body: Body) -> bool:
        """Add a piece; return whether somebody has waited for what is now complete."""
        exchange = self._by_id.get(body.id)
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
        self._transcript.answer(
            now, exchange.record, exchange.status, exchange.headers, exchange.body
        )
        if exchange.answered.done():
            return False
        exchange.answered.set_result(exchange)
        return True

    def break_off(self, number: int, reason: str) -> bool:
        """Fail an answer that has begun and gets no end; return whether somebody waits for it."""
        exchange = self._by_id.get(number)
        if exchange is None or not exchange.status or exchange.answered.done():
            return False
        sentence = f"{exchange.name} was answered {exchange.status}, and broken off by {reason}."
        self._transcript.note(self._clock.now, f"!! {sentence}")
        exchange.answered.set_exception(SubmissionFault(sentence))
        return True
