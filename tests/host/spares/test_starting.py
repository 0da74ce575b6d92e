"""Fresh interpreters that a program starts are forks, and nobody can tell: programs run by both."""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path

import pytest

from ml_api_lab.sandbox.hosts.host_pool import HostPool
from ml_api_lab.sandbox.real_process import Process
from tests.support.real_programs import run, started, write
from tests.support.toy import LIMIT

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has what spares need")

# Each starts the other side of itself: what a process is told by who starts it.
TOLD = """
import json, os, signal, sys

def told():
    held = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    # Who has taken the place of another leads no group: that is the one thing that differs.
    leader = os.getpgrp() if "PLACED" in os.environ else os.getpid()
    ignored = [s for s in signal.valid_signals() if signal.getsignal(s) == signal.SIG_IGN]
    return [
        sys.argv, os.path.basename(os.getcwd()), sys.path[0] == os.getcwd(),
        {k: v for k, v in os.environ.items() if k in ("TZ", "PORT", "PYTHONPATH")},
        os.getpgrp() == leader, os.getsid(0) == leader, os.getpgrp() == os.getsid(0),
        sorted(map(int, held)), sorted(map(int, ignored)), os.environ.get("PARENT") == str(
        os.getppid()), [fd for fd in range(3, 60) if is_open(fd)], __name__, sys.stdin.read(),
        os.umask(0o022),
    ]

def is_open(fd):
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True

if sys.argv[1:]:
    print(json.dumps(told()), flush=True)
    print("problem", file=sys.stderr)
    sys.exit(int(sys.argv[1]))
"""

STARTERS = {
    "as it comes": "print(subprocess.run(me, env=env).returncode)",
    "read through pipes": ("print(subprocess.run(me, env=env, input=b'in', capture_output=True))"),
    "both outputs into one": (
        "print(subprocess.run(me, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT))"
    ),
    "errors into what is printed": ("print(subprocess.run(me, env=env, stderr=1).returncode)"),
    "in another folder": (
        "os.mkdir('other')\n"
        "print(subprocess.run([*me[:1], '../main.py', '3'], cwd='other').returncode)"
    ),
    "in a folder that is not there": (
        "try:\n    subprocess.run(me, cwd='nowhere')\nexcept OSError as error:\n    print(error)"
    ),
    "in a session of its own": "print(subprocess.run(me, start_new_session=True).returncode)",
    "in a group of its own": "print(subprocess.run(me, process_group=0).returncode)",
    "with a descriptor": (
        "one, two = os.pipe()\nos.dup2(one, 40, inheritable=False)\n"
        "print(subprocess.run(me, pass_fds=[40]).returncode)"
    ),
    "with as many descriptors as it can have": (
        "for number in range(3, 60):\n    os.dup2(0, number)\n"
        "print(subprocess.run(me, pass_fds=range(3, 60)).returncode)"
    ),
    "with signals ignored and held back": (
        "signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])\n"
        "print(subprocess.run(me, env=env).returncode)"
    ),
    "with another mask of permissions": ("os.umask(0o027); print(subprocess.run(me).returncode)"),
    "more than there are spares": (
        "print([subprocess.run([*me[:2], str(n)]).returncode for n in range(4)])"
    ),
    "from a thread": (
        "import threading\n"
        "t = threading.Thread(target=lambda: print(subprocess.run(me).returncode))\n"
        "t.start(); t.join()"
    ),
    "from a fork": (
        "end, held = os.pipe()\n"
        "if os.fork() == 0:\n    print(subprocess.run(me).returncode)\n    sys.exit()\n"
        "os.close(held); os.read(end, 1)"
    ),
    "by asyncio": (
        "import asyncio\n"
        "async def main():\n"
        "    p = await asyncio.create_subprocess_exec(*me, stdout=-1)\n"
        "    print(await p.communicate(), p.returncode)\n"
        "asyncio.run(main())"
    ),
    "and ends it": (
        "me[1:] = ['-c', 'import time; time.sleep(600)']\n"
        "p = subprocess.Popen(me); p.terminate(); print(p.wait())"
    ),
    "a module": "print(subprocess.run([me[0], '-m', 'json.tool', '--help']).returncode)",
    "a file that is not there": "print(subprocess.run([me[0], 'nothing.py']).returncode)",
    "what is no Python": "print(subprocess.run(['sh', '-c', 'echo $0 $TZ']).returncode)",
    "in its own place": "sys.stdout.flush(); os.execv(me[0], me)",
    "in its own place, with other variables": (
        "sys.stdout.flush(); os.execve(me[0], me, {**os.environ, 'PORT': '1'})"
    ),
    "in its own place, found on the path": (
        "os.environ['PATH'] = os.path.dirname(me[0])\n"
        "sys.stdout.flush(); os.execlp(os.path.basename(me[0]), *me)"
    ),
    "in its own place, with what it has opened": (
        "os.dup2(1, 40); signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "sys.stdout.flush(); os.execv(me[0], me)"
    ),
    "in its own place, with a child": (
        "subprocess.Popen(['sleep', '0.2']); sys.stdout.flush(); os.execv(me[0], me)"
    ),
    "in the place of a fork": (
        "end, held = os.pipe(); os.set_inheritable(held, True)\n"
        "if os.fork() == 0:\n    os.execv(me[0], me)\n"
        "os.close(held); os.read(end, 1)"
    ),
    "in its own place, from a thread": (
        "import threading; sys.stdout.flush()\n"
        "threading.Thread(target=lambda: os.execv(me[0], me)).start()"
    ),
    "in its own place, what is lost in the buffer": ("print('lost'); os.execv(me[0], me)"),
    "in its own place, what cannot be": (
        "try:\n    os.execv('/nothing', me)\nexcept OSError as error:\n    print(error)"
    ),
    "waits for all that it has started": (
        "subprocess.Popen(me)\n"
        "try:\n    while True:\n        print(os.wait()[1])\nexcept ChildProcessError:\n"
        "    print('none')"
    ),
}

BEGIN = """
import os, signal, subprocess, sys
me = [sys.executable, "main.py", "3"]
env = {**os.environ, "PARENT": str(os.getpid())}
"""


@pytest.mark.parametrize("name", STARTERS)
def test_it_is_as_a_fresh_one(name: str, pool: HostPool, tmp_path: Path) -> None:
    seen = []
    for each in (pool, None):
        folder = tmp_path / ("fork" if each else "fresh")
        folder.mkdir()
        begin = f'{BEGIN}os.environ["PLACED"] = "1"\n' if "place" in name else BEGIN
        lines = [TOLD, "if len(sys.argv) == 1:", *f"{begin}{STARTERS[name]}".splitlines()]
        indented = [line if number < 2 else f"    {line}" for number, line in enumerate(lines)]
        write(folder, "\n".join(indented))
        seen.append(run(folder, [sys.executable, "main.py"], each))
    (status, printed), (right_status, right) = seen
    assert printed.replace("fork", "fresh") == right
    assert status == right_status
    assert printed


SPAWNED = 'import subprocess, sys; subprocess.run([sys.executable, "-c", {code!r}])'
REPLACED = 'import os, sys; os.execv(sys.executable, [sys.executable, "-c", {code!r}])'
WORKER = """
import multiprocessing, sys

def is_warm(number):
    return "fastapi" in sys.modules

if __name__ == "__main__":
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        print(pool.map(is_warm, [1])[0])
"""
IS_WARM = "import sys; print('fastapi' in sys.modules)"


@pytest.mark.parametrize(
    "source", [SPAWNED.format(code=IS_WARM), REPLACED.format(code=IS_WARM), WORKER]
)
def test_it_is_a_fork(source: str, pool: HostPool, tmp_path: Path) -> None:
    write(tmp_path, source)
    assert run(tmp_path, [sys.executable, "main.py"], pool) == (0, "True\n")
    assert run(tmp_path, [sys.executable, "main.py"], None) == (0, "False\n")


@pytest.mark.parametrize(
    "option",
    ["preexec_fn=lambda: None", "close_fds=False", "umask=0o77", "env={'PYTHONHASHSEED': '0'}"],
)
def test_what_a_fork_cannot_stand_in_for_is_fresh(
    option: str, pool: HostPool, tmp_path: Path
) -> None:
    source = SPAWNED.format(code=IS_WARM).replace("])", f"], {option})")
    write(tmp_path, source)
    assert run(tmp_path, [sys.executable, "main.py"], pool) == (0, "False\n")


def _wait_for(process: Process, text: str) -> None:
    give_up = time.monotonic() + LIMIT
    while text not in process.output and time.monotonic() < give_up:
        time.sleep(0.01)
    assert text in process.output


def _status(process: Process) -> int | None:
    give_up = time.monotonic() + LIMIT
    while process.status is None and time.monotonic() < give_up:
        time.sleep(0.01)
    return process.status


HEARS = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(4))
print("begun", flush=True)
while True:
    time.sleep(0.01)
"""


@pytest.mark.parametrize(
    ("number", "status"),
    [(signal.SIGTERM, 4), (signal.SIGINT, -signal.SIGINT), (signal.SIGKILL, -9)],
)
def test_who_has_taken_a_place_hears_its_signals(
    number: int, status: int, pool: HostPool, tmp_path: Path
) -> None:
    write(tmp_path, REPLACED.format(code=HEARS))
    process = started(tmp_path, pool)
    _wait_for(process, "begun")
    assert process.status is None
    assert not process.leftover_commands()[1:]
    process.send_signal(number)
    assert _status(process) == status
    process.close()
    assert not process.has_leftovers()


def test_ctrl_c_ends_who_has_taken_a_place_and_what_that_has_started(
    pool: HostPool, tmp_path: Path
) -> None:
    helper = "import subprocess, sys; h = subprocess.Popen(['sleep', '600.25']);"
    write(tmp_path, REPLACED.format(code=f"{helper} print('begun', flush=True); h.wait()"))
    process = started(tmp_path, pool)
    _wait_for(process, "begun")
    assert "sleep 600.25" in process.leftover_commands()
    process.interrupt()
    assert _status(process) == -signal.SIGINT
    process.close()


def test_what_it_leaves_behind_is_known(pool: HostPool, tmp_path: Path) -> None:
    write(
        tmp_path,
        "import subprocess, sys\n"
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600.75)'])\n",
    )
    process = started(tmp_path, pool)
    status, left = _status(process), process.leftover_commands()
    process.close()
    assert status == 0
    assert left == [f"{Path(sys.executable).name} -c 'import time; time.sleep(600.75)'"]
    give_up = time.monotonic() + LIMIT
    while process.has_leftovers() and time.monotonic() < give_up:
        time.sleep(0.01)
    assert not process.has_leftovers()


@pytest.mark.parametrize(
    "ending", ["", "import os; os._exit(0)", "import os; os.kill(os.getpid(), 9)"]
)
def test_spares_end_with_their_program(ending: str, pool: HostPool, tmp_path: Path) -> None:
    write(tmp_path, f"import subprocess\n{ending}\n")
    process = started(tmp_path, pool)
    assert _status(process) is not None
    give_up = time.monotonic() + LIMIT
    while process.has_leftovers() and time.monotonic() < give_up:
        time.sleep(0.01)
    assert not process.has_leftovers()
    process.close()


@pytest.mark.parametrize("other", ["os.getppid()", "1", "os.getpid()", "10 ** 6"])
def test_a_program_cannot_have_another_process_stand_for_it(
    other: str, pool: HostPool, tmp_path: Path
) -> None:
    write(
        tmp_path,
        f"""
        import gc, os, subprocess, sys
        notes = [each for each in gc.get_objects() if type(each).__name__ == "Successor"]
        assert notes
        notes[0].note({other})
        os._exit(3)
        """,
    )
    process = started(tmp_path, pool)
    assert _status(process) == 3
    process.close()
