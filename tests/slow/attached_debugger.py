"""An editor's debugger attaches to a submission: it stops in the student's own file.

`tox -e debugger` runs it, with debugpy installed.
"""

from __future__ import annotations

import json
import re
import socket
import subprocess
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.editor import TASKS, load
from tests.support.toy import LIMIT, Course, own_environment, started
from tests.support.toy_tasks import CHECKS

PROGRAM = 'import time\nvalue = "of the submission"\nprint("hello")\ntime.sleep(2)\n'
SERVED = """
@points(10, hint="?")
async def test_answers(task: Task, clock: Clock):
    \"\"\"It answers.\"\"\"
    async with task.serve() as client:
        answer = await client.get("/")
    assert answer.status_code == 200
"""
APP = """
from fastapi import FastAPI

app = FastAPI()


@app.get("/")
def root():
    value = "of the submission"
    return value
"""


class Editor:
    """What VS Code says to a debugger, in the Debug Adapter Protocol."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=LIMIT)
        self._stream = self._socket.makefile("rb")
        self._number = 0
        self._waiting: list[dict[str, Any]] = []

    def send(self, command: str, **arguments: Any) -> int:
        self._number += 1
        message = {"seq": self._number, "type": "request", "command": command}
        body = json.dumps({**message, "arguments": arguments}).encode()
        self._socket.sendall(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        return self._number

    def ask(self, command: str, **arguments: Any) -> dict[str, Any]:
        """Send a request; return the body of its response."""
        return self.response(self.send(command, **arguments))

    def response(self, number: int) -> dict[str, Any]:
        found = self._wait_for(lambda each: each.get("request_seq") == number)
        assert found["success"], found
        body: dict[str, Any] = found.get("body") or {}
        return body

    def event(self, name: str) -> dict[str, Any]:
        found = self._wait_for(lambda each: each.get("event") == name)
        body: dict[str, Any] = found.get("body") or {}
        return body

    def attach(self, file: Path, line: int, root: Path) -> None:
        """Attach, with a breakpoint; map the workspace to itself, as VS Code's extension does."""
        self.ask("initialize", adapterID="debugpy", pathFormat="path")
        same = [{"localRoot": str(root), "remoteRoot": str(root)}]
        attached = self.send("attach", pathMappings=same, justMyCode=True)
        self.event("initialized")
        told = self.ask("setBreakpoints", source={"path": str(file)}, breakpoints=[{"line": line}])
        assert told["breakpoints"][0]["verified"], told
        self.ask("configurationDone")
        self.response(attached)

    def close(self) -> None:
        self._stream.close()
        self._socket.close()

    def _wait_for(self, wanted: Any) -> dict[str, Any]:
        while True:
            for each in self._waiting:
                if wanted(each):
                    self._waiting.remove(each)
                    return each
            length = 0
            while line := self._stream.readline().strip():
                length = int(line.partition(b":")[2])
            assert length, f"the debugger hung up; it said {self._waiting}"
            self._waiting.append(json.loads(self._stream.read(length)))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def debugged(
    course: Course, port: int, *words: str
) -> AbstractContextManager[subprocess.Popen[str]]:
    command = course.command(f"--debugger={port}", *words)
    return started(command, course.root, own_environment())


def wait_until_it_waits(process: subprocess.Popen[str]) -> None:
    """Read as far as VS Code does before it attaches."""
    ends = TASKS["wait for the debugger"]["problemMatcher"]["background"]["endsPattern"]
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if re.search(ends, line):
            return
    raise AssertionError("".join(lines))


def seen_at_the_breakpoint(editor: Editor) -> tuple[str, int, str]:
    """Return the file, the line, and what `value` is there; then let the program go on."""
    thread = editor.event("stopped")["threadId"]
    frame = editor.ask("stackTrace", threadId=thread)["stackFrames"][0]
    value = editor.ask("evaluate", expression="value", frameId=frame["id"], context="watch")
    editor.ask("continue", threadId=thread)
    return frame["source"]["path"], frame["line"], value["result"]


def test_it_stops_in_each_script(tmp_path: Path) -> None:
    """One check after another waits at the same port, and says so; the points are as ever."""
    course = Course(tmp_path / "course")
    course.task("task_0_1", CHECKS, PROGRAM)
    file, port = course.root / "exercises" / "task_0_1" / "main.py", free_port()
    with debugged(course, port) as process:
        for _ in range(2):
            wait_until_it_waits(process)
            with closing(Editor(port)) as editor:
                editor.attach(file, 3, course.root)
                assert seen_at_the_breakpoint(editor) == (str(file), 3, "'of the submission'")
                editor.event("terminated")
        assert process.stdout is not None
        rest = process.stdout.read()
        assert process.wait(LIMIT) in (0, 1), rest
    assert "Isolation is off: a debugger must be able to attach" in rest
    assert "Clock real, " in rest


def test_it_stops_in_an_application(tmp_path: Path) -> None:
    course = Course(tmp_path / "course")
    course.preload("fastapi")
    course.task("task_1_1", SERVED, APP)
    file, port = course.root / "exercises" / "task_1_1" / "main.py", free_port()
    with debugged(course, port, "checks/task_1_1/test_toy.py::test_answers") as process:
        wait_until_it_waits(process)
        with closing(Editor(port)) as editor:
            editor.attach(file, 10, course.root)
            assert seen_at_the_breakpoint(editor) == (str(file), 10, "'of the submission'")
            assert process.stdout is not None
            rest = process.stdout.read()
        assert process.wait(LIMIT) == 0, rest
    assert "10 of  10" in rest


def test_a_port_in_use_is_refused(tmp_path: Path) -> None:
    course = Course(tmp_path / "course")
    course.task("task_0_1", CHECKS, PROGRAM)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = course.run(f"--debugger={port}", report=False)
    assert said.status == 4
    assert f"--debugger={port}: that port cannot be used" in said.text


@pytest.mark.parametrize("tier", ["landlock", "namespace"])
def test_a_named_tier_is_refused(tier: str, tmp_path: Path) -> None:
    course = Course(tmp_path / "course")
    course.task("task_0_1", CHECKS, PROGRAM)
    said = course.run(f"--isolation={tier}", "--debugger=5678", report=False)
    assert said.status == 4
    assert "debugger can attach with" in said.text or "cannot be had here" in said.text


def test_the_launch_attaches_where_the_task_waits() -> None:
    [launch] = [
        each
        for each in load(".vscode/launch.json")["configurations"]
        if each.get("preLaunchTask") == "wait for the debugger"
    ]
    port = launch["connect"]["port"]
    assert f"--debugger={port}" in TASKS["wait for the debugger"]["args"]
