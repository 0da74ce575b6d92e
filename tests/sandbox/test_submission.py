"""Submissions that end, hang or lie: what is said of each, and that it costs nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from ml_api_lab.check import SubmissionFault
from ml_api_lab.errors import Dead, StartFailed
from ml_api_lab.sandbox.clock import Clock
from ml_api_lab.task import Task
from tests.support.faults import (
    ASKED,
    LOAD,
    NO_REST,
    SERVE,
    SPEAK_ON_LINK,
    START,
    Fault,
    app,
    each_fault,
    each_fault_without_forks,
)
from tests.support.toy import Scenes
from tests.support.waiting_app import WAITING_APP

FAULTS = {
    "exits hard at import": Fault(
        "import os\nos._exit(0)",
        f"{START}ended its own process with exit status 0.",
        SERVE,
        also_without_forks=True,
    ),
    "exits at import": Fault(
        "import sys\nsys.exit(0)", "Importing main.py failed: SystemExit: 0 (", SERVE
    ),
    "raises what ends pytest": Fault(
        "import pytest\npytest.exit('all is well', returncode=0)",
        "Importing main.py failed: Exit: all is well (",
        SERVE,
    ),
    "exits hard when loaded": Fault(
        "import os\nos._exit(0)", f"{START}ended its own process with exit status 0.", LOAD
    ),
    "exits hard in a handler": Fault(
        app("os._exit(0)"), f"{ASKED}ended its own process with exit status 0.", SERVE
    ),
    "exits in a handler": Fault(
        app("sys.exit(0)"),
        f"{ASKED}ended the program with exit status 0",
        SERVE,
        also_without_forks=True,
    ),
    "exits hard behind its answer": Fault(
        app("asyncio.get_running_loop().call_later(3, os._exit, 0)"),
        "The application, at work behind its answers, ended its own process with exit status 0.",
        SERVE,
        then="await asyncio.sleep(5)",
    ),
    "exits behind its answer": Fault(
        app("asyncio.get_running_loop().call_later(3, sys.exit, 4)"),
        "The application, at work behind its answers, ended the program with exit status 4.",
        SERVE,
        then="await asyncio.sleep(5)",
    ),
    "exits hard in a thread": Fault(
        app("await asyncio.to_thread(os._exit, 7)"),
        f"{ASKED}ended its own process with exit status 7.",
        SERVE,
    ),
    "exits hard in a script": Fault(
        "import os\nos._exit(0)",
        "The script main.py ended its own process with exit status 0.",
        also_without_forks=True,
    ),
    "exits in a script": Fault("import sys\nsys.exit(3)", "The exit status is 3; 0 is right."),
    "segmentation fault": Fault(
        app("ctypes.string_at(0)"), f"{ASKED}was ended by SIGSEGV.", SERVE, is_posix_only=True
    ),
    "aborts": Fault(app("os.abort()"), f"{ASKED}was ended by SIGABRT.", SERVE, is_posix_only=True),
    "kills its process group": Fault(
        app("os.killpg(0, 9)"),
        f"{ASKED}was ended by SIGKILL.",
        SERVE,
        is_posix_only=True,
        also_without_forks=True,
    ),
    "kills its parent": Fault(
        app("os.kill(os.getppid(), 9); await asyncio.sleep(1)\nwhile True: pass"),
        f"{ASKED}{NO_REST}",
        SERVE,
        is_posix_only=True,
    ),
    "recurses without end": Fault(
        "def f(): return f()\nf()",
        "main.py stopped with RecursionError: maximum recursion depth",
    ),
    "loops at import": Fault(
        # On a busy machine it is ended before it has begun, and is nowhere yet.
        "while True: pass",
        f"{START}{NO_REST}",
        SERVE,
        also_without_forks=True,
    ),
    "loops in a handler": Fault(app("while True: pass"), f"{ASKED}{NO_REST} (it was at ", SERVE),
    "loops in a thread": Fault(
        app("threading.Thread(target=spin).start()", "def spin():\n    while True: pass"),
        f"{ASKED}{NO_REST} (it was at ",
        SERVE,
    ),
    "sleeps without end": Fault(
        app("while True: await asyncio.sleep(50)"),
        f"{ASKED}has waited for more than 600 s of lab time; it stands at ",
        SERVE,
    ),
    "blocks without end": Fault(
        app("while True: time.sleep(50)"),
        f"{ASKED}has waited for more than 600 s of lab time; it stands at ",
        SERVE,
    ),
    "yields without end": Fault(
        app("while True: await asyncio.sleep(0)"), f"{ASKED}{NO_REST}", SERVE
    ),
    "waits for what never comes": Fault(
        app("await asyncio.Event().wait()"),
        f"{ASKED}has waited and nothing is left that could make it go on; it stands at ",
        SERVE,
    ),
    "holds the interpreter in a pattern": Fault(
        app("re.match('(a+)+$', 'a' * 60 + 'b')"), f"{ASKED}{NO_REST} (it was at ", SERVE
    ),
    "holds the interpreter in a library": Fault(
        app("ctypes.PyDLL(None).sleep(999)"),
        f"{ASKED}{NO_REST} (it was at ",
        SERVE,
        is_posix_only=True,
    ),
    "ignores signals": Fault(
        "import signal, time\n"
        "for each in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGHUP):\n"
        "    signal.signal(each, signal.SIG_IGN)\n"
        "while True: pass",
        f"The script main.py {NO_REST}",
        is_posix_only=True,
    ),
    "cannot be shut down": Fault(
        "import asyncio\n"
        "async def app(scope, receive, send):\n"
        "    if scope['type'] == 'lifespan':\n"
        "        await receive(); await send({'type': 'lifespan.startup.complete'})\n"
        "        await receive(); await asyncio.Event().wait()\n"
        "    await send({'type': 'http.response.start', 'status': 200, 'headers': []})\n"
        "    await send({'type': 'http.response.body', 'body': b'ok'})\n",
        "The application, told to shut down, has waited and nothing is left that could make it go "
        "on; it stands at ",
        SERVE,
    ),
    "sends a message of the other side": Fault(
        app("say(kind='grant', now=5)\nraise KeyError", SPEAK_ON_LINK),
        "The status is wrong.",
        SERVE,
    ),
    "claims to be idle": Fault(
        app(
            "for _ in range(9): say(kind='idle', next=-5)\n"
            "say(kind='idle', next=10**30)\n"
            "await asyncio.Event().wait()",
            SPEAK_ON_LINK,
        ),
        f"{ASKED}has waited ",
        SERVE,
    ),
    "claims to be done": Fault(
        app("say(kind='done', status=0)\nwhile True: pass", SPEAK_ON_LINK),
        f"{ASKED}ended the program with exit status 0",
        SERVE,
    ),
    "claims to be in the debugger": Fault(
        app("say(kind='paused', inside=True)\nwhile True: pass", SPEAK_ON_LINK),
        f"{ASKED}{NO_REST}",
        SERVE,
    ),
    "tells of a problem that is none": Fault(
        app(
            "say(kind='problem', stage='import', request=0, type='A', text='\\x1b', frames=[[]])\n"
            "await asyncio.sleep(1)\nraise KeyError",
            SPEAK_ON_LINK,
        ),
        "Importing main.py failed: A",
        SERVE,
    ),
    "puts a pipe where the lab looks": Fault(
        "import os\n"
        "where = '../../output-0.where'\n"
        "os.unlink(where)\nos.mkfifo(where)\n"
        "while True: pass",
        f"The script main.py {NO_REST}",
        is_posix_only=True,
    ),
    "breaks json, socket and threading": Fault(
        app(
            "def broken(*a, **k): raise SystemError('broken')\n"
            "json.dumps = json.loads = socket.socket.sendall = threading.Thread.start = broken\n"
            "json.JSONEncoder.encode = time.time = os.write = broken\n"
            "raise KeyError"
        ),
        "",
        SERVE,
    ),
}


test_fault = each_fault(FAULTS)
test_fault_without_forks = each_fault_without_forks(FAULTS)


Scene = Callable[[Task, Clock], Any]


def fault(scenes: Scenes, scene: Scene, source: str = WAITING_APP) -> str:
    with pytest.raises(SubmissionFault) as raised:
        scenes.play(source, scene)
    return str(raised.value)


async def forever(task: Task, clock: Clock) -> None:
    async with task.serve() as client:
        await client.get("/forever")


async def beating(task: Task, clock: Clock) -> None:
    async with task.serve() as client:
        await client.get("/beat")


async def script(task: Task, clock: Clock) -> None:
    await task.run()


async def starting(task: Task, clock: Clock) -> None:
    async with task.serve():
        pass


def line(source: str, text: str) -> int:
    return next(n for n, each in enumerate(source.splitlines(), 1) if text in each)


def test_a_request_that_waits_for_nothing(apps: Scenes) -> None:
    said = fault(apps, forever)
    assert said.startswith(
        "The application, asked for GET /forever, has waited and nothing is left that could make "
        "it go on; it stands at "
    )
    assert said.endswith(f"main.py:{line(WAITING_APP, 'Event().wait')} in forever.")


def test_a_request_beyond_the_horizon(apps: Scenes) -> None:
    said = fault(apps, beating)
    assert said.startswith(
        "The application, asked for GET /beat, has waited for more than 600 s of lab time; "
        "it stands at "
    )
    assert said.endswith("in beat.")


def test_a_script_that_waits_for_nothing(scripts: Scenes) -> None:
    said = fault(scripts, script, "import threading\nthreading.Event().wait()\n")
    assert said.startswith(
        "The script main.py has waited and nothing is left that could make it go on"
    )
    assert said.endswith("main.py:2.")


def test_two_threads_that_wait_for_each_other(scripts: Scenes) -> None:
    source = """\
import threading, time
a, b = threading.Lock(), threading.Lock()
def take(first, second):
    with first:
        time.sleep(1)
        with second:
            pass
threading.Thread(target=take, args=(a, b)).start()
threading.Thread(target=take, args=(b, a)).start()
"""
    said = fault(scripts, script, source)
    assert "has waited and nothing is left" in said
    assert f"main.py:{line(source, 'with second')} in take" in said


def test_a_startup_that_waits_for_nothing(apps: Scenes) -> None:
    source = """\
import asyncio
from contextlib import asynccontextmanager
from fastapi import FastAPI
@asynccontextmanager
async def lifespan(app):
    await asyncio.Event().wait()
    yield
app = FastAPI(lifespan=lifespan)
"""
    said = fault(apps, starting, source)
    assert said.startswith("Importing or starting main.py has waited and nothing is left")
    assert said.endswith("main.py:6 in lifespan.")


def test_the_budget_is_of_real_time(scripts: Scenes) -> None:
    async def scene(task: Task, clock: Clock) -> None:
        run = asyncio.ensure_future(task.run())
        await asyncio.sleep(1)  # from here on it is certain to have begun
        clock.budget = 1
        clock.renew_budget()
        await run

    with pytest.raises(Dead) as raised:
        scripts.play("import time; time.sleep(2)\nwhile True:\n    pass\n", scene)
    assert str(raised.value).startswith(
        "The script main.py did not come to rest within 1 s of real time (it was at "
    )
    assert str(raised.value).endswith(
        "): it computes without end (for which no lab time passes), or waits for something outside "
        "the lab."
    )
    assert "main.py:2" in str(raised.value) or "main.py:3" in str(raised.value)


def test_start_failed_tells_the_kind(apps: Scenes) -> None:
    with pytest.raises(StartFailed) as raised:
        apps.play("app = 1 / 0", starting)
    assert (raised.value.kind, raised.value.text) == ("ZeroDivisionError", "division by zero")
