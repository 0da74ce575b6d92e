"""Images at work, for tests: a server, its Dockerfile, and scenes with its container."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from pathlib import Path

from ml_api_lab.course.syllabus import Entry
from ml_api_lab.course.tree import Tree
from ml_api_lab.images.container import Container
from ml_api_lab.sandbox.clock import Clock
from ml_api_lab.sandbox.transcript import Line
from ml_api_lab.task import Task
from ml_api_lab.trials.task_runner import TaskRunner

SERVER = '''\
"""Answers every request with its working folder and one variable."""

import http.server
import os
import signal
import sys
from pathlib import Path

signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = f"{sorted(p.name for p in Path('.').iterdir())} {os.environ.get('WORD')}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


host, port = os.environ.get("HOST", "0.0.0.0"), int(os.environ.get("PORT", "8080"))
http.server.HTTPServer((host, port), Handler).serve_forever()
'''


DOCKERFILE = """\
FROM python:3.12-slim
WORKDIR /app
COPY main.py ./
ENV WORD=inside
CMD ["python", "main.py"]
"""


Scene = Callable[[Task, Container], Awaitable[None]]


class Images:
    """Plays scenes with a container of an image."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.runner = TaskRunner()

    def play(self, scene: Scene, dockerfile: str = DOCKERFILE, **files: str) -> list[str]:
        """Play the scene; return what was printed."""
        entry = Entry("task_9_9", "Scene", "Scenes", models="../task_9_1")
        folder = self._folder / entry.name
        folder.mkdir(parents=True)
        for name, text in {"main_py": SERVER, "Dockerfile": dockerfile, **files}.items():
            (folder / name.replace("_", ".")).write_text(text)
        printed: list[Line] = []

        async def played(task: Task, clock: Clock) -> None:
            try:
                await scene(task, task.container(task.image()))
            finally:
                task.halt()
                printed.extend(task.transcript.lines)

        tree = Tree("scene", self._folder)
        self.runner.play(played, entry, tree, random.Random(1), clock="real", budget=60)
        return [line.text for line in printed]


def port_of(container: Container) -> int:
    """Return the port at which a container is published."""
    return int(container.url.rpartition(":")[2])


async def get(port: int) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.0\r\n\r\n")
    answer = await reader.read()
    writer.close()
    return answer.decode().partition("\r\n\r\n")[2]
