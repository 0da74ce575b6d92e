"""The submission as a program: what it imports, what keeps it from being run, and when it ends."""

from __future__ import annotations

import socket
import textwrap
from pathlib import Path

import pytest

from ml_api_lab.errors import SubmissionFault
from ml_api_lab.task import Task
from tests.proofs.prover import Prover
from tests.support.faults import SERVE, Fault, each_fault
from tests.support.toy import Course, Scenes
from tests.support.toy_tasks import CHECKS


def test_a_submissions_own_modules_come_first(tmp_path: Path) -> None:
    """Also where they are called as one that the host has loaded: the lab's own, or a package."""
    course = Course(tmp_path / "course")
    course.preload("dotenv")
    main = "from {module} import hello, wait\nhello()\nwait()\n"
    helpers = "import time\ndef hello(): print('hello')\ndef wait(): time.sleep(2)\n"
    for number, (module, files) in enumerate(
        {
            "shared": {"shared.py": helpers},
            "ml_api_lab.errors": {"ml_api_lab/errors.py": helpers},
            "ml_api_lab.host": {"ml_api_lab/__init__.py": "", "ml_api_lab/host.py": helpers},
            "dotenv": {"dotenv.py": helpers},
        }.items(),
        start=1,
    ):
        course.task(f"task_0_{number}", CHECKS, {"main.py": main.format(module=module), **files})
    result = course.run()
    assert result.messages == {}
    assert result.score == (40, 40)


FAULTS = {
    "serves at import": Fault(
        "from fastapi import FastAPI\nimport uvicorn\napp = FastAPI()\nuvicorn.run(app, port=0)",
        "Importing main.py failed: RuntimeError: a server was started while the file was imported "
        "(exercises/",
        SERVE,
    ),
    "syntax error": Fault("def f(:\n", "Importing main.py failed: SyntaxError: ", SERVE),
    "syntax error in a script": Fault("def f(:\n", "main.py stopped with SyntaxError: "),
    "not UTF-8": Fault(
        "name = 'caf\u00e9'\n".encode("latin-1"),
        "Importing main.py failed: SyntaxError: ",
        SERVE,
    ),
    "a comment that is not UTF-8": Fault(
        "# caf\u00e9\nprint('x')\n".encode("latin-1"),
        "main.py stopped with SyntaxError: main.py is not in UTF-8",
    ),
    "null bytes": Fault(b"\0\0", "Importing main.py failed: ", SERVE),
    "no app": Fault("x = 1", "main.py has no variable named app; `uvicorn main:app` serves", SERVE),
    "app is no application": Fault(
        "app = 3",
        "app in main.py is no application, but int; `uvicorn main:app` serves what has that name.",
        SERVE,
    ),
    "app is a class": Fault("from fastapi import FastAPI as app", "The status is wrong.", SERVE),
}


test_fault = each_fault(FAULTS)


def test_an_import_may_make_a_pair_of_sockets(scripts: Scenes) -> None:
    """On Windows that is Python's own code, which listens; each new event loop has such a pair."""
    source = f"""
        import socket
        code = "def socketpair():\\n one = socket(); one.bind(('127.0.0.1', 0)); one.listen(1)"
        names = {{"socket": socket.socket}}
        exec(compile(code, {socket.__file__!r}, "exec"), names)
        names["socketpair"]()
        print("a pair")
        with socket.socket() as server:
            server.listen()
    """

    async def scene(task: Task, _: object) -> tuple[str, str]:
        try:
            await task.load()
        except SubmissionFault as fault:
            return str(fault), task.transcript.lines[0].text
        return "", ""

    said, printed = scripts.play(source, scene)
    assert printed == "a pair"
    assert "a server was started while the file was imported" in said


ENDINGS = {
    "the script ends with its last thread": (
        """
        import threading, time
        threading.Thread(target=lambda: (time.sleep(4), print("late"))).start()
        threading.Thread(target=lambda: (time.sleep(99), print("never")), daemon=True).start()
        print("main")
        """,
        [(0, "main"), (4, "late")],
    ),
    "the script ends with a pool that nobody closed": (
        """
        import atexit, time
        from concurrent.futures import ThreadPoolExecutor
        atexit.register(print, "the end")
        pool = ThreadPoolExecutor(2)
        pool.submit(lambda: (time.sleep(2), print("late")))
        """,
        [(2, "late"), (2, "the end")],
    ),
}


@pytest.mark.parametrize("name", ENDINGS)
def test_ending(name: str, scripts: Scenes) -> None:
    source, expected = ENDINGS[name]
    assert scripts.events(textwrap.dedent(source)) == expected


def test_a_child_process_that_nobody_joined_is_waited_for(scripts: Scenes) -> None:
    """Also where the harness has loaded multiprocessing before the script did."""
    source = """
        import multiprocessing, time

        def work():
            time.sleep(0.2)  # of real time: another process is outside the lab
            print("child")

        if __name__ == "__main__":
            multiprocessing.get_context("spawn").Process(target=work).start()
            print("main")
    """
    assert scripts.events(textwrap.dedent(source)) == [(0, "main"), (0, "child")]


BORROWED = """
import os

import uvicorn
from solutions.{task}.main import app

if __name__ == "__main__":
    uvicorn.run(app, host=os.environ.get("HOST", "127.0.0.1"), port=int(os.environ["PORT"]))
"""


@pytest.mark.parametrize(("task", "on_the_wall_clock"), [("task_1_2", False), ("task_1_3", True)])
def test_the_solution_cannot_be_imported(
    task: str, on_the_wall_clock: bool, prover: Prover, tmp_path: Path
) -> None:
    """Neither in a host nor in a real process, from any of a task's checks."""
    folder = tmp_path / task
    folder.mkdir()
    (folder / "main.py").write_text(BORROWED.format(task=task), encoding="utf-8")
    verdicts = prover.grade(tmp_path, task)
    assert [name for name, each in verdicts.items() if each.message is None] == []
    assert {each.on_the_wall_clock for each in verdicts.values()} == {on_the_wall_clock}
    without = [
        n for n, each in verdicts.items() if "No module named 'solutions'" not in each.card()
    ]
    assert without == []
