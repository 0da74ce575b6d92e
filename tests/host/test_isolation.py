"""What right answers do is possible in every tier, and what is refused says so."""

from __future__ import annotations

import os
import random
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from ml_api_lab.course.syllabus import Entry
from ml_api_lab.course.tree import Tree
from ml_api_lab.protocol.confinement import NEWEST_LANDLOCK, Tier
from ml_api_lab.sandbox.clock import Clock
from ml_api_lab.sandbox.hosts.pools_of_a_run import HostPools
from ml_api_lab.sandbox.runs import Run
from ml_api_lab.task import Task
from ml_api_lab.trials.task_runner import TaskRunner
from tests.support import tiers
from tests.support.toy import LIMIT

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="tiers are Linux's")

KINDS: list[tuple[Tier, int]] = [
    ("none", NEWEST_LANDLOCK),
    *(("landlock", abi) for abi in tiers.LANDLOCKS),
    ("namespace", NEWEST_LANDLOCK),
]

# Each prints "right" and nothing else.
RIGHT = {
    "temporary files": """
        import os, tempfile
        with tempfile.NamedTemporaryFile("w+") as file, tempfile.TemporaryDirectory() as folder:
            file.write("right")
            file.seek(0)
            text = file.read()
            open(os.path.join(folder, "a"), "w").write(text)
            os.replace(os.path.join(folder, "a"), os.path.join(folder, "b"))
            print(open(os.path.join(folder, "b")).read())
        """,
    "files of its own": """
        import os, pathlib, shutil
        pathlib.Path("one").write_text("right")
        shutil.copy2("one", "two")
        shutil.copytree(".", "folder/below", ignore=shutil.ignore_patterns("folder"))
        os.chmod("two", 0o600)
        os.utime("two", (1, 1))
        pathlib.Path("new").touch()
        os.unlink("new")
        pathlib.Path("two").touch()
        with open("two", "r+") as file:
            file.truncate(5)
        os.rename("two", "three")
        os.link("three", "four")
        os.symlink("four", "five")
        print(pathlib.Path("five").read_text())
        shutil.rmtree("folder")
        """,
    "a shell": """
        import subprocess
        said = subprocess.run("echo right | cat 2>/dev/null", shell=True, capture_output=True)
        print(said.stdout.decode().strip())
        """,
    "another interpreter with packages": """
        import subprocess, sys
        code = "import fastapi, numpy; print('right')"
        said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        print(said.stdout.strip() or said.stderr)
        """,
    "time zones": """
        import datetime, zoneinfo
        there = datetime.datetime(2024, 7, 1, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin"))
        print("right" if there.utcoffset() == datetime.timedelta(hours=2) else there)
        """,
    "locks of processes": """
        import multiprocessing
        with multiprocessing.Lock(), multiprocessing.Semaphore(2):
            value = multiprocessing.Value("i", 3)
            print("right" if value.value == 3 else value)
        """,
    "shared memory": """
        from multiprocessing import shared_memory
        memory = shared_memory.SharedMemory(create=True, size=16)
        memory.buf[:5] = b"right"
        print(bytes(memory.buf[:5]).decode())
        memory.close()
        memory.unlink()
        """,
    "pools of processes": """
        import concurrent.futures, multiprocessing

        def double(number):
            return number * 2

        if __name__ == "__main__":
            context = multiprocessing.get_context("fork")
            with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as pool:
                print("right" if list(pool.map(double, [1, 2])) == [2, 4] else "wrong")
        """,
    "a process of its own that it ends": """
        import os, subprocess, sys
        with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
            child.kill()
        print("right" if child.returncode else child.returncode)
        """,
    "sockets of its own": """
        import asyncio, socket
        one, other = socket.socketpair()
        one.sendall(b"right")
        with socket.create_server(("127.0.0.1", 0)) as server:
            server.getsockname()
        print(other.recv(5).decode())
        """,
    "random numbers and the null device": """
        import os, secrets
        open(os.devnull, "w").write(secrets.token_hex() + str(os.urandom(4)))
        print("right")
        """,
    "facts about the machine": """
        import os, platform, getpass
        platform.platform(), os.cpu_count(), os.getloadavg(), os.listdir("/proc/self/fd")
        open("/proc/meminfo").read(), open("/etc/os-release").read()
        print("right" if getpass.getuser() else "nobody")
        """,
    "no place open that is not its own": """
        import fcntl, os
        flags = []
        for number in range(256):
            try:
                flags.append(fcntl.fcntl(number, fcntl.F_GETFL))
            except OSError:
                pass
        print("wrong" if any(each & os.O_PATH for each in flags) or len(flags) > 12 else "right")
        """,
    "a name looked up": """
        import socket
        print("right" if socket.getaddrinfo("localhost", 80) else "nothing")
        """,
    "threads, and a signal to itself": """
        import os, signal, threading
        seen = []
        signal.signal(signal.SIGUSR2, lambda number, frame: seen.append("right"))
        os.kill(os.getpid(), signal.SIGUSR2)
        thread = threading.Thread(target=lambda: None)
        thread.start()
        thread.join()
        print(*seen)
        """,
}


class Confined:
    """Runs scripts in one tier."""

    def __init__(self, folder: Path, tier: Tier, abi: int) -> None:
        self._folder = folder
        self._number = 0
        self.runner = TaskRunner(HostPools(tiers.require(tier, abi)))

    def script(self, source: str) -> Run:
        self._number += 1
        root = self._folder / f"tree-{self._number}"
        (root / "task_9_9").mkdir(parents=True)
        (root / "task_9_9" / "main.py").write_text(textwrap.dedent(source), encoding="utf-8")

        async def scene(task: Task, clock: Clock) -> Run:
            return await task.run("main.py", may_fail=True)

        entry = Entry("task_9_9", "Scene", "Scenes", ())
        tree = Tree("scene", root)
        return self.runner.play(scene, entry, tree, random.Random(1), budget=LIMIT)


@pytest.fixture(scope="module", params=KINDS, ids=lambda kind: "-".join(map(str, kind)))
def confined(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Confined]:
    confined = Confined(tmp_path_factory.mktemp("confined"), *request.param)
    yield confined
    confined.runner.close()


@pytest.mark.parametrize("name", RIGHT)
def test_right_answers_are_possible(name: str, confined: Confined) -> None:
    run = confined.script(RIGHT[name])
    assert (run.output, run.error) == ("right", None)


@pytest.mark.parametrize("tier", ["landlock", "namespace"])
@pytest.mark.parametrize("call", ["connect", "create_connection", "open_connection"])
def test_a_refused_connection_says_why(tier: Tier, call: str, tmp_path: Path) -> None:
    confined = Confined(tmp_path, tier, NEWEST_LANDLOCK)
    source = {
        "connect": "import socket\nsocket.socket().connect(('127.0.0.1', 9))\n",
        "create_connection": "import socket\nsocket.create_connection(('127.0.0.1', 9))\n",
        "open_connection": (
            "import asyncio\nasyncio.run(asyncio.open_connection('127.0.0.1', 9))\n"
        ),
    }[call]
    try:
        run = confined.script(source)
    finally:
        confined.runner.close()
    assert run.error is not None
    assert "the lab lets a submission connect to nothing" in run.error


@pytest.mark.parametrize("tier", ["landlock", "namespace"])
def test_a_terminal_is_nobody_s(tier: Tier, tmp_path: Path) -> None:
    confined = Confined(tmp_path, tier, NEWEST_LANDLOCK)
    try:
        run = confined.script("open('/dev/tty')\n")
    finally:
        confined.runner.close()
    assert run.error is not None
    assert run.error.split(":")[0] in ("OSError", "PermissionError")


def test_a_namespace_has_little_room_for_temporary_files(tmp_path: Path) -> None:
    """What fills the machine's own, or stays there, is another run's loss."""
    confined = Confined(tmp_path, "namespace", NEWEST_LANDLOCK)
    source = """
        import errno, os
        for place in ("/tmp", "/dev/shm"):
            try:
                for number in range(9):
                    with open(f"{place}/full-{number}", "wb") as file:
                        file.write(bytes(2**24))
            except OSError as error:
                print(place, errno.errorcode[error.errno])
        """
    before = {place: set(os.listdir(place)) for place in ("/tmp", "/dev/shm")}
    try:
        run = confined.script(source)
    finally:
        confined.runner.close()
    assert run.output.splitlines() == ["/tmp ENOSPC", "/dev/shm ENOSPC"]
    left = {place: set(os.listdir(place)) - before[place] for place in before}
    assert not [name for names in left.values() for name in names if name.startswith("full-")]


def test_a_namespace_shows_a_process_itself_and_what_it_has_started(tmp_path: Path) -> None:
    confined = Confined(tmp_path, "namespace", NEWEST_LANDLOCK)
    source = """
        import os, subprocess, sys
        code = "print(len(open('/proc/self/stat').read().split()) > 40, flush=True); input()"
        command, pipe = [sys.executable, "-c", code], subprocess.PIPE
        with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as child:
            print(child.stdout.readline().strip())
            print({int(name) for name in os.listdir("/proc") if name.isdigit()} == {
                os.getpid(), child.pid
            })
            print(open(f"/proc/{child.pid}/cmdline").read().split(chr(0))[1])
            child.communicate(chr(10))
        print(child.returncode)
        for name in ("cmdline", "status"):
            try:
                open(f"/proc/{os.getppid()}/{name}")
            except (FileNotFoundError, PermissionError):
                print("hidden")
        """
    try:
        run = confined.script(source)
    finally:
        confined.runner.close()
    assert run.output.splitlines() == ["True", "True", "-c", "0", "hidden", "hidden"]


@pytest.mark.parametrize("tier", ["none", "landlock", "namespace"])
def test_who_uses_up_the_memory_is_ended_first(tier: Tier, tmp_path: Path) -> None:
    confined = Confined(tmp_path, tier, NEWEST_LANDLOCK)
    try:
        run = confined.script("print(open('/proc/self/oom_score_adj').read().strip())")
    finally:
        confined.runner.close()
    assert run.output == "1000"
