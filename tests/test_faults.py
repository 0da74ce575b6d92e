"""Faults of submissions: each costs its own check, with one sentence, and nothing else.

One toy course commits every fault, a task each, and is graded by one run; between the faults
stands a task in order, whose check must pass whatever has happened before it.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.toy import Course, Graded

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
    also: tuple[str, ...] = field(default=())


APP = "import os, sys, time, asyncio, signal, threading\nfrom fastapi import FastAPI\napp = FastAPI()\n"
PLAIN = "async def app(scope, receive, send):\n"


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
        app("while True: await asyncio.sleep(1)"),
        f"{ASKED}has waited for more than 600 s of lab time; it stands at ",
        SERVE,
    ),
    "blocks without end": Fault(
        app("while True: time.sleep(1)"),
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
    "null bytes": Fault(b"\0\0", "Importing main.py failed: ", SERVE),
    "no app": Fault("x = 1", "Importing main.py failed: AttributeError: main.py has no", SERVE),
    "app is no application": Fault(
        "app = 3",
        "Importing main.py failed: TypeError: app in main.py is no application, but int.",
        SERVE,
    ),
    "app is a class": Fault("from fastapi import FastAPI as app", "The status is wrong.", SERVE),
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
        app("""link().sendall(frame(b'{"kind": "grant", "now": 5}')); raise KeyError""", LINK),
        "The status is wrong.",
        SERVE,
    ),
    "answers what was not asked": Fault(
        app(
            "for n in (0, 7, -1):\n"
            """    link().sendall(frame(b'{"kind":"head","id":%d,"status":200,"headers":[]}' % n))\n"""
            """    link().sendall(frame(b'{"kind":"body","id":%d,"data":"!","more":false}' % n))\n"""
            "raise KeyError",
            LINK,
        ),
        "The status is wrong.",
        SERVE,
    ),
    "forges a status": Fault(
        app(
            """link().sendall(frame(b'{"kind":"head","id":1,"status":99999999,"headers":[["a\\\\n",""]]}'))\n"""
            """link().sendall(frame(b'{"kind":"body","id":1,"data":"","more":false}'))""",
            LINK,
        ),
        "",
        SERVE,
    ),
    "forges headers": Fault(
        app(
            """link().sendall(frame(b'{"kind":"head","id":1,"status":500,"headers":[["only one"],["\\\\u2603","x"]]}'))\n"""
            """link().sendall(frame(b'{"kind":"body","id":1,"data":"","more":false}'))""",
            LINK,
        ),
        "",
        SERVE,
    ),
    "claims to be idle": Fault(
        app(
            """for _ in range(9): link().sendall(frame(b'{"kind":"idle","next":-5}'))\n"""
            """link().sendall(frame(b'{"kind":"idle","next":%d}' % 10**30))\nwhile True: pass""",
            LINK,
        ),
        ASKED,
        SERVE,
    ),
    "claims to be done": Fault(
        app("""link().sendall(frame(b'{"kind":"done","status":0}'))\nwhile True: pass""", LINK),
        f"{ASKED}ended the program with exit status 0",
        SERVE,
    ),
    "claims to be in the debugger": Fault(
        app(
            """link().sendall(frame(b'{"kind":"paused","inside":true}'))\nwhile True: pass""", LINK
        ),
        f"{ASKED}{SLOW}",
        SERVE,
    ),
    "floods the link": Fault(
        app(
            """beat = frame(b'{"kind":"beat"}') * 1000\nto = link()\nwhile True: to.sendall(beat)""",
            LINK,
        ),
        ASKED,
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
    # --- the harness's own tools ------------------------------------------------------------------
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

GOOD = '''
@points(10, hint="?")
async def test_good(task: Task, clock: Clock):
    """All is well."""
    async with task.serve() as client:
        assert (await client.get("/")).status_code == 200, "The status is wrong."
    assert clock.elapsed == seconds(2), f"It took {clock.elapsed}; 2 s is right."
'''


def build(root: Path, faults: dict[str, Fault]) -> Course:
    course = Course(root)
    course.preload("fastapi")
    for number, fault in enumerate(faults.values()):
        check = fault.check.format(options=f'env={{"{MARKER}": "{root.name}"}}', then=fault.then)
        course.task(f"task_{number}_1", check, fault.source)
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


def graded(root: Path, faults: dict[str, Fault], **env: str) -> Graded:
    result = build(root, faults).run(f"--budget={BUDGET}", "checks", **env)
    give_up = time.monotonic() + 20
    while sys.platform == "linux" and (left := marked(root.name)):
        assert time.monotonic() < give_up, left
        time.sleep(0.1)
    return result


def here(faults: dict[str, Fault]) -> dict[str, Fault]:
    return {name: each for name, each in faults.items() if os.name == "posix" or not each.posix}


@pytest.fixture(scope="module")
def forked(tmp_path_factory: pytest.TempPathFactory) -> Graded:
    return graded(tmp_path_factory.mktemp("faults") / "course", here(FAULTS))


def expect(result: Graded, faults: dict[str, Fault], name: str) -> None:
    number = list(faults).index(name)
    check = result.checks[f"task_{number}_1 test_it"]
    assert check["outcome"] == "failed", check
    assert check["points"] == 0
    assert check["message"].startswith(faults[name].says), check["message"]
    assert "\n" not in check["message"]
    assert check["real_seconds"] < BUDGET + 15
    neighbour = result.checks[f"task_{number}_2 test_good"]
    assert (neighbour["outcome"], neighbour["lab_seconds"]) == ("passed", 2), neighbour["message"]


@pytest.mark.parametrize("name", here(FAULTS))
def test_fault(name: str, forked: Graded) -> None:
    expect(forked, here(FAULTS), name)
    assert forked.status == 1


_ = signal
