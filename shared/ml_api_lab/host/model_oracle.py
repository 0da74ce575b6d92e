"""Who knows the answers of the stand-in models: the checks, asked over the link.

The thread that asks counts as running while it waits, so no lab time passes. A process that the
submission forks has no link of its own: it asks through the one that it was forked from, over a
pair of sockets for each question.
"""

from __future__ import annotations

import itertools
import os
import socket
import sys
from collections.abc import Callable
from typing import Any

from ml_api_lab.host.clock import allocate_real_lock, start_untracked_thread
from ml_api_lab.protocol.link import FRAME_LIMIT_BYTES, decode, encode
from ml_api_lab.protocol.messages import AskModel, LoadModel, Message, ModelAnswers, ModelLoaded
from ml_api_lab.protocol.stand_in import Identity

Question = LoadModel | AskModel
Reply = ModelLoaded | ModelAnswers

_HEADER_BYTES = 4


class CheckOracle:
    """Asks the checks' side.

    Args:
        send: sends a message to the checks, at once.
    """

    def __init__(self, send: Callable[[Message], None]) -> None:
        self._send = send
        self._numbers = itertools.count(1)
        self._waiting: dict[int, tuple[Any, list[Reply]]] = {}
        self._to_parent: socket.socket | None = None
        self._from_children: socket.socket | None = None
        self._is_child = False

    def load(self, token: str) -> Identity | None:
        reply = self._ask(LoadModel(next(self._numbers), token))
        if not isinstance(reply, ModelLoaded) or reply.model is None:
            return None
        return Identity(reply.model, reply.seconds)

    def answer(self, token: str, rows: list[list[float]]) -> list[int] | None:
        reply = self._ask(AskModel(next(self._numbers), token, rows))
        return reply.classes if isinstance(reply, ModelAnswers) else None

    def receive(self, reply: Reply) -> None:
        """Hand a reply of the checks' side to whoever waits for it."""
        waiting = self._waiting.pop(reply.number, None)
        if waiting is not None:
            gate, replies = waiting
            replies.append(reply)
            gate.release()

    def _ask(self, question: Question) -> Reply:
        if self._is_child:
            return self._ask_parent(question)
        gate = allocate_real_lock()
        gate.acquire()
        replies: list[Reply] = []
        self._waiting[question.number] = gate, replies
        self._send(question)
        gate.acquire()
        return replies[0]

    # --- forked processes -------------------------------------------------------------------------

    def serve_forks(self) -> None:
        """Answer processes that the submission forks from now on (POSIX)."""
        if hasattr(os, "register_at_fork") and hasattr(socket, "send_fds"):
            os.register_at_fork(before=self._before_fork, after_in_child=self._after_fork)

    def _before_fork(self) -> None:
        if self._to_parent is None:
            # Whole messages from many senders; a confined process may have no datagrams, and
            # macOS has no packets in sequence.
            kind = socket.SOCK_SEQPACKET if sys.platform == "linux" else socket.SOCK_DGRAM
            self._to_parent, self._from_children = socket.socketpair(socket.AF_UNIX, kind)
            start_untracked_thread(self._serve_children, ())

    def _after_fork(self) -> None:
        # Also in a child of a child: whoever has the link serves all of them.
        self._is_child = True

    def _ask_parent(self, question: Question) -> Reply:
        assert self._to_parent is not None
        here, there = socket.socketpair()
        with here:
            with there:
                socket.send_fds(self._to_parent, [b"?"], [there.fileno()])
            here.sendall(encode(question))
            reply = _receive(here)
        if not isinstance(reply, ModelLoaded | ModelAnswers):
            raise RuntimeError("the program that knows the models has ended")
        return reply

    def _serve_children(self) -> None:
        assert self._from_children is not None
        while True:
            _, descriptors, _, _ = socket.recv_fds(self._from_children, 1, 1)
            for descriptor in descriptors:
                start_untracked_thread(self._serve_child, (socket.socket(fileno=descriptor),))

    def _renumbered(self, question: Question) -> Question:
        number = next(self._numbers)
        if isinstance(question, LoadModel):
            return LoadModel(number, question.token)
        return AskModel(number, question.token, question.rows)

    def _serve_child(self, child: socket.socket) -> None:
        with child:
            try:
                question = _receive(child)
                if isinstance(question, LoadModel | AskModel):
                    # Under a number of this process: the child has counted for itself.
                    child.sendall(encode(self._ask(self._renumbered(question))))
            except OSError:
                pass  # the child has ended meanwhile


def _receive(connection: socket.socket) -> Message | None:
    """Return the one message that comes, None if none comes whole."""
    size = int.from_bytes(_read(connection, _HEADER_BYTES), "big")
    data = _read(connection, min(size, FRAME_LIMIT_BYTES))
    return decode(data) if data else None


def _read(connection: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size and (piece := connection.recv(size - len(data))):
        data += piece
    return bytes(data)
