"""Threads that wait in a read: lab time goes on where only this process can answer."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

import pytest

from tests.support.toy import Course, Scenes

knows_reads = pytest.mark.skipif(sys.platform != "linux", reason="only Linux says who reads")

# Each prints with the help of a thread that reads from a pipe, at 0 s, 2 s and 5 s.
READERS = {
    "os.read": """
        import os, threading, time
        near, far = os.pipe()
        def pump():
            while data := os.read(near, 100): print(data.decode(), end="", flush=True)
        def say(text): os.write(far, f"{text}\\n".encode())
    """,
    "a file on a pipe": """
        import os, threading, time
        near, far = os.pipe()
        lines, sink = open(near), open(far, "w", buffering=1)
        def pump():
            for line in lines: print(line, end="", flush=True)
        def say(text): print(text, file=sink)
    """,
    "multiprocessing.SimpleQueue": """
        import multiprocessing, threading, time
        queue = multiprocessing.SimpleQueue()
        def pump():
            while True: print(queue.get(), flush=True)
        say = queue.put
    """,
    "multiprocessing.Queue": """
        import multiprocessing, threading, time
        queue = multiprocessing.Queue()
        def pump():
            while True: print(queue.get(), flush=True)
        say = queue.put
    """,
    "multiprocessing.Pipe": """
        import multiprocessing, threading, time
        near, far = multiprocessing.Pipe(duplex=False)
        def pump():
            while True: print(near.recv(), flush=True)
        say = far.send
    """,
}
SPEAKER = """
threading.Thread(target=pump, daemon=True).start()
say("begin"); time.sleep(2); say("two"); time.sleep(3); say("five"); time.sleep(1)
"""
SLEEPER = """
threading.Thread(target=lambda: [time.sleep(2), say("two"), time.sleep(3), say("five")]).start()
say("begin")
for _ in range(3): print(one(), flush=True)
"""


@knows_reads
@pytest.mark.parametrize("name", READERS)
def test_a_thread_that_reads_from_its_own_process_waits(name: str, scripts: Scenes) -> None:
    source = textwrap.dedent(READERS[name]) + SPEAKER
    # What a queue says when the program ends while a thread reads from it is another matter.
    assert scripts.events(source)[:3] == [(0, "begin"), (2, "two"), (5, "five")]


@knows_reads
def test_the_main_thread_may_be_the_reader(scripts: Scenes) -> None:
    source = textwrap.dedent(READERS["os.read"]) + SLEEPER
    source = source.replace("one()", "os.read(near, 100).decode().strip()")
    assert scripts.events(source) == [(0, "begin"), (2, "two"), (5, "five")]


@knows_reads
def test_a_reader_that_works_is_no_waiter(scripts: Scenes) -> None:
    """What it does with what it has read takes no lab time, however long it computes."""
    source = """
    import os, threading, time
    near, far = os.pipe()
    def pump():
        while data := os.read(near, 100):
            sum(range(10**7))
            print(time.monotonic() - began, data.decode(), flush=True)
            time.sleep(1)
    began = time.monotonic()
    threading.Thread(target=pump, daemon=True).start()
    for text in "abc":
        os.write(far, text.encode()); time.sleep(2)
    """
    assert scripts.script(source).output.splitlines() == ["0.0 a", "2.0 b", "4.0 c"]


REAL = {
    "a child process has the other end": """
        import os, subprocess, sys, threading, time
        near, far = os.pipe()
        child = subprocess.Popen(
            [sys.executable, "-c", "import time; time.sleep(1); print('child', flush=True)"],
            stdout=far,
        )
        os.close(far)
        threading.Thread(target=lambda: time.sleep(50)).start()
        print(os.read(near, 100).decode().strip(), time.monotonic() - began)
    """,
    "a fork has the other end as well": """
        import os, threading, time
        near, far = os.pipe()
        if os.fork() == 0:
            time.sleep(1); os.write(far, b"child"); os._exit(0)
        threading.Thread(target=lambda: time.sleep(50)).start()
        print(os.read(near, 100).decode(), time.monotonic() - began)
    """,
}


@pytest.mark.skipif(sys.platform == "win32", reason="there are no forks")
@pytest.mark.parametrize("name", REAL)
def test_a_read_from_another_process_is_real_waiting(name: str, scripts: Scenes) -> None:
    source = "import time\nbegan = time.monotonic()\n" + textwrap.dedent(REAL[name])
    assert scripts.script(source).output == "child 0.0"


SOCKET = """
import socket, threading, time
near, far = socket.socketpair()
def pump():
    while data := far.recv(100): print(data.decode())
threading.Thread(target=pump, name="printer", daemon=True).start()
time.sleep(1)
print("hello")
"""
MANY = "\n".join(
    f'''
@points({weight}, hint="Never shown.")
async def test_{number}(task: Task):
    """Check {number}."""
    await task.run()
'''
    for number, weight in enumerate((4, 3, 3))
)
WHO = "its thread 'printer' (at exercises/task_0_1/main.py:5 in pump)"


@pytest.mark.skipif(sys.platform == "win32", reason="a fault without a place there")
@pytest.mark.parametrize("tells", [True, False], ids=["Linux", "elsewhere"])
def test_what_cannot_be_known_is_said_once(tells: bool, tmp_path: Path) -> None:
    if tells and sys.platform != "linux":
        pytest.skip("only Linux says who reads")
    course = Course(tmp_path / "course")
    hide = "import sys; sys.modules['ml_api_lab.host.patches.pipes']._THREADS = '/nowhere'"
    course.task("task_0_1", MANY, SOCKET if tells else hide + SOCKET)
    result = course.run("--budget=4")
    assert (result.status, result.score) == (1, (0, 10))
    told = [
        f"{WHO} waits in a read, and whether the answer comes from outside the lab cannot be known",
        f"no lab time passes while {WHO} computes or waits in a read, and this system does not say",
    ][not tells]
    assert all(told in message for message in result.messages.values())
    flowed = " ".join(result.text.split())
    assert flowed.count("Thread 'printer'") + flowed.count("thread 'printer'") == 1
    assert "Hint:" not in result.text
    # The whole budget is spent once; the others had the part that checks have side by side.
    assert [f"within {seconds} s" in str(result.messages) for seconds in ("4", "1")] == [True, True]
