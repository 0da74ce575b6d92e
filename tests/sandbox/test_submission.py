"""Faults of submissions: each costs its own check, with one sentence, and nothing else.

A toy course commits every fault, a task each, in one run; between the faults stands a task in
order, whose check must pass whatever has happened before it.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.toy import Course

BUDGET = 2
MARKER = "LAB_TOY_MARKER"

SERVE = '''
@points(10, hint="?")
async def test_it(task: Task, clock: Clock):
    """It answers."""
    async with task.serve({options}) as client:
        assert (await client.get("/")).status_code == 200, "The status is wrong."
        {then}
'''

RUN = '''
@points(10, hint="?")
async def test_it(task: Task, clock: Clock):
    """It runs."""
    run = await task.run({options})
    assert run.status == 0, f"The exit status is {{run.status}}; 0 is right."
'''

LOAD = '''
@points(10, hint="?")
async def test_it(task: Task, clock: Clock):
    """It imports."""
    await task.load({options})
'''


@dataclass(frozen=True)
class Fault:
    """A submission, the check of it, and how the check's sentence begins and goes on."""

    source: str | bytes
    says: str
    check: str = RUN
    then: str = ""
    posix: bool = False


def app(body: str, before: str = "") -> str:
    """Return a bare ASGI application that does this before it answers."""
    indented = "".join(f"    {each}\n" for each in body.splitlines())
    return (
        "import asyncio, ctypes, json, os, re, signal, socket, sys, threading, time\n"
        f"{before}\n"
        "async def app(scope, receive, send):\n"
        "    if scope['type'] != 'http': raise RuntimeError\n"
        f"{indented}"
        "    await send({'type': 'http.response.start', 'status': 200, 'headers': []})\n"
        "    await send({'type': 'http.response.body', 'body': b'ok'})\n"
    )


LINK = """
def link():
    for fd in range(3, 256):
        try:
            found = socket.socket(fileno=os.dup(fd))
            if found.family == socket.AF_INET: return found
        except OSError: pass
def frame(data): return len(data).to_bytes(4, 'big') + data
def say(**message): link().sendall(frame(json.dumps(message).encode()))
"""

CALL = f"""{LINK}
calls = []
def call(data=b''):
    calls.append(socket.create_connection(link().getpeername()))
    calls[-1].sendall(data)
    return calls[-1]
"""

ASKED = "The application, asked for GET /, "
START = "Importing or starting main.py "
SLOW = "did not come to rest within 2 s of real time"

FAULTS: dict[str, Fault] = {
    # --- ending the process -----------------------------------------------------------------------
    "exits hard at import": Fault(
        "import os\nos._exit(0)", f"{START}ended its own process with exit status 0.", SERVE
    ),
    "exits at import": Fault(
        "import sys\nsys.exit(0)", "Importing main.py failed: SystemExit: 0 (", SERVE
    ),
    "exits hard when loaded": Fault(
        "import os\nos._exit(0)", f"{START}ended its own process with exit status 0.", LOAD
    ),
    "exits hard in a handler": Fault(
        app("os._exit(0)"), f"{ASKED}ended its own process with exit status 0.", SERVE
    ),
    "exits in a handler": Fault(
        app("sys.exit(0)"), f"{ASKED}ended the program with exit status 0", SERVE
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
        "import os\nos._exit(0)", "The script main.py ended its own process with exit status 0."
    ),
    "exits in a script": Fault("import sys\nsys.exit(3)", "The exit status is 3; 0 is right."),
    "segmentation fault": Fault(
        app("ctypes.string_at(0)"), f"{ASKED}was ended by SIGSEGV.", SERVE, posix=True
    ),
    "aborts": Fault(app("os.abort()"), f"{ASKED}was ended by SIGABRT.", SERVE, posix=True),
    "kills its process group": Fault(
        app("os.killpg(0, 9)"), f"{ASKED}was ended by SIGKILL.", SERVE, posix=True
    ),
    "kills its parent": Fault(
        app("os.kill(os.getppid(), 9); await asyncio.sleep(1)\nwhile True: pass"),
        f"{ASKED}{SLOW}",
        SERVE,
        posix=True,
    ),
    "recurses without end": Fault(
        "def f(): return f()\nf()", "main.py stopped with RecursionError: maximum recursion depth"
    ),
    # --- never ending -----------------------------------------------------------------------------
    "loops at import": Fault("while True: pass", f"{START}{SLOW} (it was at ", SERVE),
    "loops in a handler": Fault(app("while True: pass"), f"{ASKED}{SLOW} (it was at ", SERVE),
    "loops in a thread": Fault(
        app("threading.Thread(target=spin).start()", "def spin():\n    while True: pass"),
        f"{ASKED}{SLOW} (it was at ",
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
    "yields without end": Fault(app("while True: await asyncio.sleep(0)"), f"{ASKED}{SLOW}", SERVE),
    "waits for what never comes": Fault(
        app("await asyncio.Event().wait()"),
        f"{ASKED}has waited and nothing is left that could make it go on; it stands at ",
        SERVE,
    ),
    "holds the interpreter in a pattern": Fault(
        app("re.match('(a+)+$', 'a' * 60 + 'b')"), f"{ASKED}{SLOW} (it was at ", SERVE
    ),
    "holds the interpreter in a library": Fault(
        app("ctypes.PyDLL(None).sleep(999)"), f"{ASKED}{SLOW} (it was at ", SERVE, posix=True
    ),
    "ignores signals": Fault(
        "import signal, time\n"
        "for each in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGHUP):\n"
        "    signal.signal(each, signal.SIG_IGN)\n"
        "while True: pass",
        f"The script main.py {SLOW}",
        posix=True,
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
    "serves at import": Fault(
        "from fastapi import FastAPI\nimport uvicorn\napp = FastAPI()\nuvicorn.run(app, port=0)",
        "Importing main.py failed: RuntimeError: a server was started while the file was imported "
        "(exercises/",
        SERVE,
    ),
    # --- files ------------------------------------------------------------------------------------
    "syntax error": Fault("def f(:\n", "Importing main.py failed: SyntaxError: ", SERVE),
    "syntax error in a script": Fault("def f(:\n", "main.py stopped with SyntaxError: "),
    "not UTF-8": Fault(
        "name = 'caf\u00e9'\n".encode("latin-1"), "Importing main.py failed: SyntaxError: ", SERVE
    ),
    "a comment that is not UTF-8": Fault(
        "# caf\u00e9\nprint('x')\n".encode("latin-1"),
        "main.py stopped with SyntaxError: the file is not in UTF-8",
    ),
    "null bytes": Fault(b"\0\0", "Importing main.py failed: ", SERVE),
    "no app": Fault("x = 1", "main.py has no variable named app; `uvicorn main:app` serves", SERVE),
    "app is no application": Fault(
        "app = 3",
        "app in main.py is no application, but int; `uvicorn main:app` serves what has that name.",
        SERVE,
    ),
    "app is a class": Fault("from fastapi import FastAPI as app", "The status is wrong.", SERVE),
    "no folder": Fault("", "exercises/{task} is missing."),
    "the folder is a file": Fault("", "exercises/{task} is a file; it must be a folder."),
    "no file": Fault("", "exercises/{task}/main.py is missing; the folder is empty."),
    "the file is a folder": Fault("", "exercises/{task}/main.py is a folder; it must be a file."),
    "a pipe for a file": Fault("", "exercises/{task}/main.py is not a plain file.", posix=True),
    "a dangling link": Fault("", "exercises/{task}/main.py is not a plain file.", posix=True),
    # --- output -----------------------------------------------------------------------------------
    "prints a gigabyte": Fault(
        "for _ in range(1024): print('x' * 2**20)",
        "The script main.py printed more than 32 MB, and was ended for it.",
    ),
    "prints a gigabyte in a handler": Fault(
        app("for _ in range(64): os.write(1, b'x' * 2**24)"),
        f"{ASKED}printed more than 32 MB",
        SERVE,
    ),
    "prints binary": Fault(
        app("os.write(1, bytes(range(256)) * 64); raise ValueError('\\x1b[31m\\x00')"),
        "The status is wrong.",
        SERVE,
    ),
    "closes its output": Fault(
        app("sys.stdout.close(); sys.stderr.close(); print('x')"), "The status is wrong.", SERVE
    ),
    "closes every descriptor": Fault(app("os.closerange(0, 1024)"), ASKED, SERVE),
    "closes every descriptor in a script": Fault(
        "import os\nos.closerange(0, 1024)", "The script main.py "
    ),
    # --- the link ---------------------------------------------------------------------------------
    "sends what is not JSON": Fault(
        app("link().sendall(frame(b'hello'))", LINK),
        "The submission's process broke the link to the checks: a frame of 5 bytes is not JSON.",
        SERVE,
    ),
    "sends a frame too large": Fault(
        app("link().sendall(b'\\x7f' * 8)", LINK),
        "The submission's process broke the link to the checks: a frame of 2139062143 bytes is "
        "over the limit of 16777216.",
        SERVE,
    ),
    "sends deep JSON": Fault(
        app("link().sendall(frame(b'[' * 10**6))", LINK),
        "The submission's process broke the link to the checks: a frame of 1000000 bytes is not",
        SERVE,
    ),
    "sends a message of the other side": Fault(
        app("say(kind='grant', now=5)\nraise KeyError", LINK), "The status is wrong.", SERVE
    ),
    "answers what was not asked": Fault(
        app(
            "for number in (0, 7, -1):\n"
            "    say(kind='head', id=number, status=200, headers=[])\n"
            "    say(kind='body', id=number, data='!', more=False)\n"
            "raise KeyError",
            LINK,
        ),
        "The status is wrong.",
        SERVE,
    ),
    "forges a status": Fault(
        app(
            "say(kind='head', id=1, status=10**50, headers=[['a\\n', '']])\n"
            "say(kind='body', id=1, data='', more=False)",
            LINK,
        ),
        "The status is wrong.",
        SERVE,
    ),
    "forges headers": Fault(
        app(
            "say(kind='head', id=1, status=500, headers=[['only one'], ['\u2603', 'x'], []])\n"
            "say(kind='body', id=1, data='', more=False)",
            LINK,
        ),
        "The status is wrong.",
        SERVE,
    ),
    "claims to be idle": Fault(
        app(
            "for _ in range(9): say(kind='idle', next=-5)\n"
            "say(kind='idle', next=10**30)\n"
            "await asyncio.Event().wait()",
            LINK,
        ),
        f"{ASKED}has waited ",
        SERVE,
    ),
    "claims to be done": Fault(
        app("say(kind='done', status=0)\nwhile True: pass", LINK),
        f"{ASKED}ended the program with exit status 0",
        SERVE,
    ),
    "claims to be in the debugger": Fault(
        app("say(kind='paused', inside=True)\nwhile True: pass", LINK), f"{ASKED}{SLOW}", SERVE
    ),
    "tells of a problem that is none": Fault(
        app(
            "say(kind='problem', stage='import', request=0, type='A', text='\\x1b', frames=[[]])\n"
            "await asyncio.sleep(1)\nraise KeyError",
            LINK,
        ),
        "Importing main.py failed: A",
        SERVE,
    ),
    "floods the link": Fault(
        app(
            """beats = frame(b'{"kind":"beat"}') * 1000\nto = link()\n"""
            "while True: to.sendall(beats)",
            LINK,
        ),
        ASKED,
        SERVE,
    ),
    "calls the lab and hangs up": Fault(
        app("for _ in range(8): call().close()\nraise KeyError", CALL),
        "The status is wrong.",
        SERVE,
    ),
    "calls the lab and says nothing": Fault(
        app("for _ in range(8): call()\nraise KeyError", CALL), "The status is wrong.", SERVE
    ),
    "calls the lab and says nothing that it knows": Fault(
        app("for _ in range(8): call(frame(b'hello')).close()\nraise KeyError", CALL),
        "The status is wrong.",
        SERVE,
    ),
    "calls the lab as its fork server": Fault(
        app(
            "hello = {'kind': 'hello', 'token': sys.orig_argv[4], 'pid': os.getppid()}\n"
            "for _ in range(8): call(frame(json.dumps(hello).encode())).close()\n"
            "raise KeyError",
            CALL,
        ),
        "The status is wrong.",
        SERVE,
    ),
    "a huge answer": Fault(
        app(
            "await send({'type': 'http.response.start', 'status': 200, 'headers': []})\n"
            "await send({'type': 'http.response.body', 'body': b'x' * 2**25})"
        ),
        "",
        SERVE,
    ),
    "an answer without end": Fault(
        app(
            "await send({'type': 'http.response.start', 'status': 200, 'headers': []})\n"
            "more = {'type': 'http.response.body', 'body': b'x' * 200, 'more_body': True}\n"
            "while True: await send(more)"
        ),
        ASKED,
        SERVE,
    ),
    "an answer of many small pieces": Fault(
        app(
            "await send({'type': 'http.response.start', 'status': 200, 'headers': []})\n"
            "more = {'type': 'http.response.body', 'body': b'x' * 200, 'more_body': True}\n"
            "for _ in range(10_000): await send(more)\n"
            "await send({'type': 'http.response.body', 'body': b''})\nreturn"
        ),
        "It came.",
        SERVE,
        'raise AssertionError("It came.")',
    ),
    "an answer that swells": Fault(
        app(
            "import gzip\n"
            "zipped = {'type': 'http.response.body', 'body': gzip.compress(bytes(2**27))}\n"
            "headers = [(b'content-encoding', b'gzip')]\n"
            "await send({'type': 'http.response.start', 'status': 200, 'headers': headers})\n"
            "await send(zipped)"
        ),
        "GET / is answered with more than 64 MB, compressed to 13",
        SERVE,
    ),
    # --- the harness's own tools ------------------------------------------------------------------
    "puts a pipe where the lab looks": Fault(
        "import os\n"
        "where = '../../output-0.where'\n"
        "os.unlink(where)\nos.mkfifo(where)\n"
        "while True: pass",
        f"The script main.py {SLOW}",
        posix=True,
    ),
    "raises in a file of no possible name": Fault(
        app(
            "place = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'x' * 300)\n"
            "exec(compile('raise KeyError', place, 'exec'))"
        ),
        "The status is wrong.",
        SERVE,
    ),
    "tells of a line that is no number": Fault(
        app(
            "frames = [[os.path.abspath(__file__), '\u00b2', 'app', '']]\n"
            "say(kind='problem', stage='request', request=1, type='A', text='', frames=frames)\n"
            "raise KeyError",
            LINK,
        ),
        "The status is wrong.",
        SERVE,
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
    # --- processes left behind --------------------------------------------------------------------
    "leaves a child": Fault(
        "import subprocess, sys\n"
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(999)'])\nsys.exit(3)",
        "The exit status is 3; 0 is right.",
    ),
    "leaves a daemon": Fault(
        "import os, time, sys\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    if os.fork() == 0:\n"
        "        import subprocess; subprocess.run(['sleep', '999'], close_fds=False)\n"
        "    os._exit(0)\n"
        "os.wait(); sys.exit(3)",
        "The exit status is 3; 0 is right.",
        posix=True,
    ),
    "forks and forks": Fault(
        "import os, time, sys\nfor _ in range(5):\n    os.fork()\nwhile True: pass",
        f"The script main.py {SLOW}",
        posix=True,
    ),
}


def _without(folder: Path) -> Path:
    (folder / "main.py").unlink()
    return folder / "main.py"


def _become_a_file(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.touch()


def _as_it_is(folder: Path) -> None:
    """Change nothing: this fault is in the program."""


FILES: dict[str, Callable[[Path], object]] = {
    "no folder": shutil.rmtree,
    "the folder is a file": _become_a_file,
    "no file": _without,
    "the file is a folder": lambda folder: _without(folder).mkdir(),
    "a pipe for a file": lambda folder: os.mkfifo(_without(folder)),
    "a dangling link": lambda folder: _without(folder).symlink_to("nowhere"),
}
"""What is done to the task's folder for these faults."""

GOOD = '''
@points(10, hint="?")
async def test_good(task: Task, clock: Clock):
    """All is well."""
    async with task.serve() as client:
        assert (await client.get("/")).status_code == 200, "The status is wrong."
    assert clock.elapsed == seconds(2), f"It took {clock.elapsed}; 2 s is right."
'''


def build(root: Path, faults: dict[str, Fault], *, neighbours: bool) -> Course:
    course = Course(root)
    course.preload("fastapi")
    for number, (name, fault) in enumerate(faults.items()):
        check = fault.check.format(options=f'env={{"{MARKER}": "{root.name}"}}', then=fault.then)
        task = f"task_{number}_1"
        course.task(task, check, fault.source)
        FILES.get(name, _as_it_is)(course.root / "exercises" / task)
        if neighbours or number == len(faults) - 1:
            course.task(f"task_{number}_2", GOOD, app("await asyncio.sleep(2)"))
    return course


def marked(name: str) -> list[str]:
    """Return the processes of this machine that carry the marker (Linux)."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if f"{MARKER}={name}".encode() in (entry / "environ").read_bytes():
                found.append((entry / "cmdline").read_bytes().decode(errors="replace"))
        except OSError:
            continue
    return found


def graded(
    root: Path, faults: dict[str, Fault], *, neighbours: bool = True, fork: bool = True
) -> dict[str, dict[str, Any]]:
    """Grade a course of these faults; return the report of each check by its fault's name."""
    course = build(root, faults, neighbours=neighbours)
    result = course.run(f"--budget={BUDGET}", "checks", LAB_FORK="1" if fork else "0")
    assert result.status == 1, result.text
    give_up = time.monotonic() + 20
    while sys.platform == "linux" and (left := marked(root.name)):
        assert time.monotonic() < give_up, left
        time.sleep(0.1)
    for name, check in result.checks.items():
        if name.endswith("test_good"):
            seen = (check["outcome"], check["lab_seconds"])
            assert seen == ("passed", 2), f"After {name}: {check['message']}"
    return {name: result.checks[f"task_{number}_1 test_it"] for number, name in enumerate(faults)}


def expect(check: dict[str, Any], fault: Fault) -> None:
    assert check["outcome"] == "failed"
    assert check["points"] == 0
    says = fault.says.replace("{task}", check["id"].split("/")[1])
    assert check["message"].startswith(says)
    assert "\n" not in check["message"]
    assert len(check["message"]) < 400
    assert len(check["card"]) < 20_000
    assert all(each.isprintable() or each in "\t\n" for each in check["card"])


FORKED = {name: each for name, each in FAULTS.items() if os.name == "posix" or not each.posix}
FRESH = {
    name: each
    for name, each in FORKED.items()
    if name
    in (
        "exits hard at import",
        "exits in a handler",
        "exits hard in a script",
        "kills its process group",
        "loops at import",
        "closes every descriptor",
        "sends what is not JSON",
        "leaves a child",
    )
}


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, dict[str, Any]]]:
    """The reports of both kinds of hosts.

    The runs go side by side: many a fault does nothing but use up its budget.
    """
    names = list(FORKED)
    halves = [{name: FORKED[name] for name in names[start::2]} for start in (0, 1)]
    roots = [tmp_path_factory.mktemp("faults") / f"course-{os.getpid()}-{i}" for i in range(3)]
    with ThreadPoolExecutor(3) as pool:
        one, two = (pool.submit(graded, *each) for each in zip(roots, halves, strict=False))
        fresh = pool.submit(graded, roots[2], FRESH, neighbours=False, fork=False)
        return [one.result() | two.result(), fresh.result()]


@pytest.mark.parametrize("name", FORKED)
def test_fault(name: str, reports: list[dict[str, dict[str, Any]]]) -> None:
    expect(reports[0][name], FORKED[name])


@pytest.mark.parametrize("name", FRESH)
def test_fault_without_forks(name: str, reports: list[dict[str, dict[str, Any]]]) -> None:
    """As on Windows: every host is a fresh interpreter."""
    expect(reports[1][name], FRESH[name])
