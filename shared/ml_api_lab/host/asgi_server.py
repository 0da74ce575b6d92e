"""An ASGI server whose clients are on the other side of the link.

It follows uvicorn where an application can tell: lifespan state is copied into each request, an
unhandled exception is answered with a plain 500 or breaks off the answer that has begun, and an
answer is complete when its last piece is sent, however long the application works on behind it.
"""

from __future__ import annotations

import asyncio
import base64
import contextvars
import urllib.parse
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from ml_api_lab.host.tracebacks import describe
from ml_api_lab.protocol.messages import Body, Disconnect, Head, Message, Ready, Request, Stop

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Scope]]
Send = Callable[[Scope], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_ASGI = {"version": "3.0", "spec_version": "2.3"}


class Server:
    """Serves one application to the clients behind `send`."""

    def __init__(
        self,
        app: Application,
        folder: str,
        send: Callable[[Message], None],
        *,
        lifespan: bool = True,
    ) -> None:
        self._app = app
        self._lifespan = lifespan
        self._folder = folder
        self._send = send
        self._state: dict[str, Any] = {}
        self._disconnected: dict[int, asyncio.Event] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Start the application, serve until told to stop, and shut it down."""
        if not self._lifespan:
            self._send(Ready())
            await self._stopping.wait()
            return
        lifespan = _Lifespan(self._app, self._state)
        error = await lifespan.startup()
        if error is not None:
            self._send(describe(error, self._folder, "startup"))
            return
        if lifespan.refusal is not None:
            self._send(describe(lifespan.refusal, self._folder, "lifespan"))
        self._send(Ready())
        await self._stopping.wait()
        error = await lifespan.shutdown()
        if error is not None:
            self._send(describe(error, self._folder, "shutdown"))

    def handle(self, message: Message) -> None:
        """Act on a message, on the loop's thread."""
        match message:
            case Request():
                self._disconnected[message.id] = asyncio.Event()
                task = asyncio.get_running_loop().create_task(
                    self._answer(message), context=contextvars.Context()
                )
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            case Disconnect() if message.id in self._disconnected:
                self._disconnected[message.id].set()
            case Stop():
                self._stopping.set()

    async def _answer(self, request: Request) -> None:
        exchange = _Exchange(request, self._disconnected[request.id], self._send)
        try:
            await self._app(exchange.scope(self._state), exchange.receive, exchange.send)
            if not exchange.is_finished and not exchange.gone.is_set():
                raise RuntimeError("the application returned without completing its answer")
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            self._send(describe(error, self._folder, "request", request.id))
            if not isinstance(error, Exception):
                raise
            if not exchange.is_started:
                await exchange.fail()
        finally:
            del self._disconnected[request.id]


class _Exchange:
    """One request and its answer, as the application's `receive` and `send` see them."""

    def __init__(
        self, request: Request, gone: asyncio.Event, send: Callable[[Message], None]
    ) -> None:
        self.gone = gone
        self.is_started = False
        self.is_finished = False
        self._request = request
        self._send = send
        self._is_read = False

    def scope(self, state: dict[str, Any]) -> Scope:
        path, _, query = self._request.target.partition("?")
        return {
            "type": "http",
            "asgi": _ASGI,
            "http_version": "1.1",
            "method": self._request.method,
            "scheme": "http",
            "path": urllib.parse.unquote(path),
            "raw_path": path.encode("latin-1"),
            "query_string": query.encode("latin-1"),
            "root_path": "",
            "headers": [
                (name.lower().encode("latin-1"), value.encode("latin-1"))
                for name, value in self._request.headers
            ],
            "client": ("127.0.0.1", 50000),
            "server": ("127.0.0.1", 8000),
            "state": state.copy(),
        }

    async def receive(self) -> Scope:
        if not self._is_read:
            self._is_read = True
            body = base64.b64decode(self._request.body)
            return {"type": "http.request", "body": body, "more_body": False}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, event: Scope) -> None:
        if event["type"] == "http.response.start" and not self.is_started:
            self.is_started = True
            headers = [
                [bytes(name).decode("latin-1"), bytes(value).decode("latin-1")]
                for name, value in event.get("headers", ())
            ]
            self._send(Head(self._request.id, int(event["status"]), headers))
        elif event["type"] == "http.response.body" and self.is_started and not self.is_finished:
            self.is_finished = not event.get("more_body", False)
            data = base64.b64encode(event.get("body", b"")).decode()
            self._send(Body(self._request.id, data, not self.is_finished))
            if self.is_finished:
                self.gone.set()
        else:
            raise RuntimeError(f"the application sent an unexpected {event['type']!r}")

    async def fail(self) -> None:
        """Answer 500 for an application that has not begun to answer."""
        content_type = (b"content-type", b"text/plain; charset=utf-8")
        await self.send({"type": "http.response.start", "status": 500, "headers": [content_type]})
        await self.send({"type": "http.response.body", "body": b"Internal Server Error"})


class _Lifespan:
    """The application's lifespan: one task from startup to shutdown.

    Attributes:
        refusal: what an application without lifespan support has raised.
    """

    def __init__(self, app: Application, state: dict[str, Any]) -> None:
        self._scope = {"type": "lifespan", "asgi": _ASGI, "state": state}
        self._app = app
        self._events: asyncio.Queue[Scope] = asyncio.Queue()
        self._reply: asyncio.Future[Scope] | None = None
        self._task: asyncio.Task[None] | None = None
        self.refusal: Exception | None = None

    async def startup(self) -> BaseException | None:
        """Start; return the error that stopped it."""
        self._task = asyncio.get_running_loop().create_task(self._run())
        return await self._send_event("startup")

    async def shutdown(self) -> BaseException | None:
        """Shut down; return the error that happened meanwhile."""
        if self._task is None or self._task.done():
            return None
        return await self._send_event("shutdown")

    async def _run(self) -> None:
        # In a coroutine of its own: what is no application may raise when it is called.
        await self._app(self._scope, self._events.get, self._receive_reply)

    async def _receive_reply(self, event: Scope) -> None:
        if self._reply is not None and not self._reply.done():
            self._reply.set_result(event)

    async def _send_event(self, name: str) -> BaseException | None:
        assert self._task is not None
        self._reply = asyncio.get_running_loop().create_future()
        await self._events.put({"type": f"lifespan.{name}"})
        pending: list[asyncio.Future[Any]] = [self._reply, self._task]
        await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        if self._reply.done() and self._reply.result()["type"] == f"lifespan.{name}.complete":
            return None
        failed = self._reply.done()
        # Starlette tells of the failure and then raises it: the exception says more than the text.
        await asyncio.wait([self._task])
        error = None if self._task.cancelled() else self._task.exception()
        if failed:
            return error or RuntimeError(str(self._reply.result().get("message", "")))
        # An application without lifespan support raises (or returns) at the first event.
        if isinstance(error, Exception) and name == "startup":
            self.refusal = error
            return None
        return error if isinstance(error, Exception | SystemExit) else None
