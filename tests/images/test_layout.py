"""Images at work without an engine: their files laid out alone."""

from __future__ import annotations

import sys

import pytest

from ml_api_lab.errors import SubmissionFault
from ml_api_lab.images.container import Container
from ml_api_lab.images.layout import signal_named
from ml_api_lab.sandbox.real_process import free_port
from ml_api_lab.task import Task
from tests.support.images import DOCKERFILE, Images, get, port_of

posix = pytest.mark.skipif(sys.platform == "win32", reason="an engine's signals are POSIX's")


def test_only_the_image_s_files_are_there(images: Images) -> None:
    async def scene(task: Task, container: Container) -> None:
        port = free_port()
        container.start({"PORT": str(port)}, port)
        await container.wait_until_listening()
        assert await get(port_of(container)) == "['main.py'] inside"
        assert await container.stop(10)

    images.play(scene, other_txt="not copied")


def test_variables_from_outside_win(images: Images) -> None:
    async def scene(task: Task, container: Container) -> None:
        port = free_port()
        container.start({"PORT": str(port), "WORD": "outside"}, port)
        await container.wait_until_listening()
        assert await get(port_of(container)) == "['main.py'] outside"

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
