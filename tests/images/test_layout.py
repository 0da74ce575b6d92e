"""Images at work: laid out alone, and in an engine that stands in for Docker."""

from __future__ import annotations

import asyncio
import random
import sys
import textwrap
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from ml_api_lab.course.syllabus import Entry
from ml_api_lab.course.tree import Tree
from ml_api_lab.errors import CourseError, SubmissionFault
from ml_api_lab.images.container import Container
from ml_api_lab.images.engine import Engine
from ml_api_lab.images.layout import signal_named
from ml_api_lab.sandbox.clock import Clock
from ml_api_lab.sandbox.process import free_port
from ml_api_lab.sandbox.transcript import Line
from ml_api_lab.task import Task
from ml_api_lab.trials.runner import Runner
from tests.support.toy import Course

posix = pytest.mark.skipif(sys.platform == "win32", reason="an engine's signals are POSIX's")

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
        self.runner = Runner()

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
        self.runner.play(played, entry, tree, random.Random(1), clock="real")
        return [line.text for line in printed]


@pytest.fixture
def images(tmp_path: Path) -> Iterator[Images]:
    images = Images(tmp_path / "tree")
    yield images
    images.runner.close()


async def get(port: int) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.0\r\n\r\n")
    answer = await reader.read()
    writer.close()
    return answer.decode().partition("\r\n\r\n")[2]


# --- laid out alone ------------------------------------------------------------------------------


def test_only_the_image_s_files_are_there(images: Images) -> None:
    async def scene(task: Task, container: Container) -> None:
        port = free_port()
        container.start({"PORT": str(port)}, port)
        await container.wait_until_listening()
        assert await get(port) == "['main.py'] inside"
        assert await container.stop(10)

    images.play(scene, other_txt="not copied")


def test_variables_from_outside_win(images: Images) -> None:
    async def scene(task: Task, container: Container) -> None:
        port = free_port()
        container.start({"PORT": str(port), "WORD": "outside"}, port)
        await container.wait_until_listening()
        assert await get(port) == "['main.py'] outside"

    images.play(scene)


@pytest.mark.parametrize(("host", "outside"), [("0.0.0.0", True), ("127.0.0.1", False)])
def test_an_address_of_one_s_own_is_not_reachable(images: Images, host: str, outside: bool) -> None:
    async def scene(task: Task, container: Container) -> None:
        port = free_port()
        container.start({"PORT": str(port), "HOST": host}, port)
        await container.wait_until_listening()
        assert await container.is_reachable() in (outside, None)

    images.play(scene)


COMMANDS = [
    '["python3.12", "/app/main.py"]',
    '["/usr/local/bin/python", "-u", "main.py"]',
    '["/app/.venv/bin/python", "main.py"]',
    '["uv", "run", "--frozen", "main.py"]',
    '["uv", "run", "python", "main.py"]',
    '["tini", "--", "python", "main.py"]',
    '["sh", "-c", "cd /app && exec /venv/bin/python /app/main.py"]',
    '["/app/start.sh", "main.py"]',
    '["./start.sh", "main.py"]',
    '["sh", "/app/start.sh", "main.py"]',
]


@posix
@pytest.mark.parametrize("command", COMMANDS)
def test_a_start_command_is_read_as_in_the_image(images: Images, command: str) -> None:
    async def scene(task: Task, container: Container) -> None:
        assert container.missing_tool is None
        port = free_port()
        container.start({"PORT": str(port)}, port)
        await container.wait_until_listening()
        assert await container.stop(10)

    script = '#!/bin/sh\nset -e\ncd /app\nexec python "$@"\n'
    lines = DOCKERFILE + f"COPY --chmod=755 start.sh /app/\nCMD {command}\n"
    images.play(scene, lines, start_sh=script)


@posix
@pytest.mark.parametrize(
    "command",
    ['["sh", "-c", "python main.py; true"]', '["sh", "-c", "python main.py & wait"]'],
)
def test_what_a_shell_leaves_behind_is_seen(images: Images, command: str) -> None:
    async def scene(task: Task, container: Container) -> None:
        port = free_port()
        container.start({"PORT": str(port)}, port)
        await container.wait_until_listening()
        assert not await container.stop(1)

    images.play(scene, DOCKERFILE + f"CMD {command}\n")


@pytest.mark.parametrize(
    ("command", "tool"),
    [
        ('["hypercorn", "main:app"]', "hypercorn"),
        ('["sh", "-c", "exec granian main:app"]', "granian"),
        ('["no-such-program-here"]', "no-such-program-here"),
    ],
)
def test_a_tool_that_is_not_here_is_told(images: Images, command: str, tool: str) -> None:
    async def scene(task: Task, container: Container) -> None:
        assert container.missing_tool == tool

    images.play(scene, DOCKERFILE + f"CMD {command}\n")


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ('["python", "gone.py"]', "ended with exit status 2 before it listened on port"),
        ('["/app/main.py"]', "The start command cannot be run: /app/main.py"),
        (
            '["sh", "-c", "echo http://0.0.0.0:9; sleep 60"]',
            "and listens on 9",
        ),
    ],
)
@posix
def test_a_start_that_fails_is_told(images: Images, command: str, reason: str) -> None:
    async def scene(task: Task, container: Container) -> None:
        port = free_port()
        container.start({"PORT": str(port)}, port)
        await container.wait_until_listening()

    with pytest.raises(SubmissionFault, match=reason):
        images.play(scene, DOCKERFILE + f"CMD {command}\n")


def test_signals_have_names_and_numbers() -> None:
    assert signal_named("SIGTERM") == signal_named("term") == signal_named("15") == 15
    with pytest.raises(SubmissionFault, match="STOPSIGNAL SIGNOTHING names no signal"):
        signal_named("SIGNOTHING")


def test_a_stand_in_model_loads_beside_nothing_of_the_lab(images: Images) -> None:
    async def scene(task: Task, container: Container) -> None:
        folder = container.mount(task.files.path("../task_9_1"))
        process = container.start({"MODEL": f"{folder}/random_forest.pkl"}, free_port())
        assert await process.wait_for_exit(30) == 0

    load = "import os, pickle\nprint(pickle.load(open(os.environ['MODEL'], 'rb')))\n"
    printed = images.play(scene, main_py=load)
    assert printed == ["<stand-in for the model random_forest>"]


# --- in an engine --------------------------------------------------------------------------------

FAKE = '''\
#!{python}
"""Does what Docker would, as far as the lab asks for it, and writes down what it was asked."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

here = Path(__file__).parent
words = sys.argv[1:]
with open(here / "asked", "a") as file:
    file.write(json.dumps(words) + "\\n")
with open(here / "hosts", "a") as file:
    file.write(os.environ.get("DOCKER_HOST", "none") + "\\n")
if words[0] == "version":
    if (here / "no-engine").exists():
        sys.exit("Cannot connect to the Docker daemon. Is it running?")
    print("99.0")
elif words[0] == "build":
    if "refuse" in (Path(words[-1]) / "Dockerfile").read_text():
        print("step 1", file=sys.stderr)
        sys.exit("ERROR: failed to solve: refused")
elif words[0] == "run":
    given = dict(word.split("=", 1) for before, word in zip(words, words[1:]) if before == "--env")
    mounts = [word.split(":") for before, word in zip(words, words[1:]) if before == "--volume"]
    for outside, inside, *_ in mounts:
        given = {{name: value.replace(inside, outside) for name, value in given.items()}}
    published = words[words.index("--publish") + 1].split(":")
    (here / "pid").write_text(str(os.getpid()))
    env = {{**os.environ, **given, "PORT": published[1], "WORD": published[2]}}
    os.execve(sys.executable, [sys.executable, str(here / "app.py")], env)
elif words[0] == "kill":
    name = words[words.index("--signal") + 1] if "--signal" in words else "SIGKILL"
    os.kill(int((here / "pid").read_text()), getattr(signal, name))
'''


@pytest.fixture
def docker(tmp_path: Path) -> Path:
    """A program that stands in for Docker's."""
    program = tmp_path / "bin" / "docker"
    program.parent.mkdir()
    program.write_text(FAKE.format(python=sys.executable))
    program.chmod(0o755)
    (program.parent / "app.py").write_text(SERVER)
    return program


def asked(docker: Path) -> list[str]:
    return (docker.parent / "asked").read_text().splitlines()


@posix
def test_an_engine_builds_runs_stops_and_removes(
    images: Images, docker: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///elsewhere.sock")

    async def scene(task: Task, container: Container) -> None:
        folder = container.mount(task.files.folder)
        container.start({"KEY": "k", "AT": f"{folder}/x"}, 8080)
        await container.wait_until_listening()
        assert await container.is_reachable()
        assert await get(int(container.url.rpartition(":")[2])) != ""
        assert await container.stop(10)

    images.runner.engine = Engine(str(docker))
    images.play(scene)
    images.runner.close()
    version, build, run, kill, remove = asked(docker)
    assert version.startswith('["version"')
    assert build.startswith('["build", "--tag", "ml-api-lab-')
    assert '"KEY=k"' in run
    assert ':8080"' in run
    assert '"AT=/mounted-1/x"' in run
    assert '"kill", "--signal", "SIGTERM"' in kill
    assert remove.startswith('["image", "rm"')
    hosts = (docker.parent / "hosts").read_text().splitlines()
    assert hosts == ["unix:///elsewhere.sock"] * 5


@posix
def test_a_build_that_fails_is_told(images: Images, docker: Path) -> None:
    async def scene(task: Task, container: Container) -> None:
        raise AssertionError("nothing to start")

    images.runner.engine = Engine(str(docker))
    with pytest.raises(SubmissionFault, match=r"docker build failed: ERROR: failed to solve"):
        images.play(scene, DOCKERFILE + "# refuse\n")


@posix
def test_without_an_engine_one_sentence_says_so(docker: Path, tmp_path: Path) -> None:
    (docker.parent / "no-engine").touch()
    with pytest.raises(CourseError) as fault:
        Engine(str(docker))
    assert str(fault.value) == (
        "--docker needs a running Docker engine, and there is none here (Cannot connect to the "
        "Docker daemon); start one, or leave the option out."
    )
    with pytest.raises(CourseError, match=r"the program \S+ is not installed"):
        Engine(str(tmp_path / "nowhere"))


CHECK = """\
@points(10, hint="What does it say?")
@on_the_wall_clock
async def test_container(task: Task) -> None:
    '''It answers.'''
    container = task.container(task.image())
    container.start({}, 8080)
    await container.wait_until_listening()
"""


@posix
def test_the_option_asks_for_the_engine(docker: Path, tmp_path: Path) -> None:
    course = Course(tmp_path / "course")
    files = {"main.py": SERVER, "Dockerfile": textwrap.dedent(DOCKERFILE)}
    course.task("task_0_1", CHECK, files)
    path = f"{docker.parent}:/usr/bin:/bin"
    graded = course.run("checks", "--docker", PATH=path, PYTHONPATH=str(Path.cwd()))
    assert graded.score == (10, 10), graded.text
    assert [line.partition('"')[2].partition('"')[0] for line in asked(docker)] == [
        "version",
        "build",
        "run",
        "image",
    ]
    (docker.parent / "no-engine").touch()
    refused = course.run("checks", "--docker", report=False, PATH=path)
    assert refused.status == 4
    assert "--docker needs a running Docker engine, and there is none here" in refused.text
    assert "Traceback" not in refused.text
