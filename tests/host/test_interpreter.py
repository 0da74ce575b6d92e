"""A fork that becomes `python ...` behaves as a fresh interpreter does: programs run by both."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from ml_api_lab.sandbox.hosts.host_pool import HostPool
from tests.support.real_programs import run, started, write
from tests.support.toy import LIMIT

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="hosts are forked on POSIX")

PROGRAMS = {
    "what Python tells of itself": (
        """
        import __main__, os, sys
        print(__name__, __main__.__file__ == os.path.abspath(__file__), sys.argv)
        print(os.getcwd(), sys.path[0] == os.path.dirname(os.path.abspath(__file__)))
        print(sorted(name for name in sys.modules if name.startswith("ml_api_lab")))
        print(__builtins__.__class__, sys.flags.interactive, os.environ["TZ"])
        """,
        ["one", "two"],
    ),
    "an exception": ("def f():\n    raise ValueError('wrong')\nprint('begun')\nf()\n", []),
    "a syntax error": ("print('begun'\n", []),
    "a status": ("import sys\nprint('begun')\nsys.exit(7)\n", []),
    "a text for a status": ("import sys\nsys.exit('no')\n", []),
    "threads and exit handlers": (
        """
        import atexit, threading, time
        atexit.register(print, "at exit")
        threading.Thread(target=lambda: (time.sleep(0.05), print("thread"))).start()
        print("main")
        """,
        [],
    ),
    "a module beside it": ("import helper\nprint(helper.NAME)\n", []),
    "handlers of a log": (
        """
        import logging, logging.handlers, sys
        target = logging.StreamHandler(sys.stdout)
        logging.getLogger().addHandler(logging.handlers.MemoryHandler(100, target=target))
        logging.warning("kept until the end")
        """,
        [],
    ),
    "what ends at once": ("import os\nprint('lost in the buffer')\nos._exit(3)\n", []),
    "an interrupt of its own": (
        "import os, signal\nprint('begun', flush=True)\nos.kill(os.getpid(), signal.SIGINT)\n",
        [],
    ),
    "a worker that is spawned": (
        """
        import multiprocessing

        def square(number):
            return number * number

        if __name__ == "__main__":
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                print(pool.map(square, [3]))
        """,
        [],
    ),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_it_does_what_a_fresh_one_does(name: str, pool: HostPool, tmp_path: Path) -> None:
    source, arguments = PROGRAMS[name]
    write(tmp_path, source)
    command = [sys.executable, "main.py", *arguments]
    assert run(tmp_path, command, pool) == run(tmp_path, command, None)


@pytest.mark.parametrize(
    "arguments",
    [
        ["-c", "import sys, helper; print(sys.argv, sys.path[0], helper.NAME)", "more"],
        ["-m", "main", "more"],
        ["-m", "json.tool", "--help"],
        ["-m", "no_such_module"],
        ["no_such_file.py"],
    ],
    ids=str,
)
def test_so_it_does_with_other_arguments(
    arguments: list[str], pool: HostPool, tmp_path: Path
) -> None:
    write(tmp_path, "import sys\nprint(__name__, sys.argv[1:])\n")
    command = [sys.executable, *arguments]
    assert run(tmp_path, command, pool) == run(tmp_path, command, None)


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_output_is_buffered_as_it_would_be(unbuffered: str, pool: HostPool, tmp_path: Path) -> None:
    write(tmp_path, "import os\nprint('seen?')\nos._exit(0)\n")
    command = [sys.executable, "main.py"]
    env = {"PYTHONUNBUFFERED": unbuffered} if unbuffered else {}
    seen = run(tmp_path, command, pool, **env)
    assert seen == run(tmp_path, command, None, **env)
    assert seen == (0, "seen?\n" if unbuffered else "")


def test_it_hears_signals_and_leaves_what_it_leaves(pool: HostPool, tmp_path: Path) -> None:
    write(
        tmp_path,
        """
        import os, signal, sys, time
        if os.fork() == 0:
            time.sleep(600)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(4))
        print("begun", flush=True)
        # A signal that comes just before a sleep begins does not end it: so none is long.
        while True:
            time.sleep(0.01)
        """,
    )
    process = started(tmp_path, pool)
    give_up = time.monotonic() + LIMIT
    while "begun" not in process.output and time.monotonic() < give_up:
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    while process.status is None and time.monotonic() < give_up:
        time.sleep(0.01)
    assert process.status == 4
    assert process.has_leftovers()
    # A fork has the command line of what it was forked from, which says nothing to its author.
    assert process.leftover_commands() == []
    process.close()
    while process.has_leftovers() and time.monotonic() < give_up:
        time.sleep(0.01)
    assert not process.has_leftovers()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems tell no command line")
@pytest.mark.parametrize("is_forked", [True, False])
def test_it_knows_the_commands_of_what_it_leaves(
    is_forked: bool, pool: HostPool, tmp_path: Path
) -> None:
    write(tmp_path, "import subprocess\nsubprocess.Popen(['sleep', '600.5'])\n")
    process = started(tmp_path, pool if is_forked else None)
    give_up = time.monotonic() + LIMIT
    while process.status is None and time.monotonic() < give_up:
        time.sleep(0.01)
    left = process.leftover_commands()
    process.close()
    assert left == ["sleep 600.5"]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell it")
@pytest.mark.parametrize("is_forked", [True, False])
@pytest.mark.parametrize("helper", ["while True: pass", "import time; time.sleep(600)"])
def test_it_knows_whether_what_it_has_started_computes(
    helper: str, is_forked: bool, pool: HostPool, tmp_path: Path
) -> None:
    write(
        tmp_path,
        f"import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', '{helper}'])\n"
        "import time\ntime.sleep(600)\n",
    )
    process = started(tmp_path, pool if is_forked else None)
    give_up = time.monotonic() + LIMIT
    while not process.leftover_commands() and time.monotonic() < give_up:
        time.sleep(0.01)
    # Both load at first; in the end one never has anything to do, the other always.
    is_busy = helper.startswith("while")
    looks: list[bool] = []
    while (len(looks) < 20 or set(looks[-20:]) != {is_busy}) and time.monotonic() < give_up:
        looks.append(process.is_at_work())
        time.sleep(0.01)
    process.close()
    assert set(looks[-20:]) == {is_busy}
