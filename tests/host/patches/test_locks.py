"""Locks in lab time, and all that is made of them."""

from __future__ import annotations

import textwrap

import pytest

from tests.support.toy import Scenes

WAYS = {
    "a subclass of Thread": (
        """
        import threading, time
        class Worker(threading.Thread):
            def run(self):
                time.sleep(2); print(threading.current_thread() is self)
        worker = Worker(); worker.start(); worker.join(); print(worker.is_alive())
        """,
        [(2, "True"), (2, "False")],
    ),
    "a lock": (
        """
        import threading, time
        lock = threading.Lock()
        def hold(name):
            with lock:
                print(name); time.sleep(2)
        threads = [threading.Thread(target=hold, args=(name,)) for name in "abc"]
        for each in threads: each.start()
        time.sleep(1)
        print(lock.acquire(blocking=False), lock.acquire(timeout=0.5), lock.locked())
        for each in threads: each.join()
        print(lock.locked())
        try: lock.release()
        except RuntimeError as error: print(error)
        """,
        [
            (0, "a"),
            (1.5, "False False True"),
            (2, "b"),
            (4, "c"),
            (6, "False"),
            (6, "release unlocked lock"),
        ],
    ),
    "a reentrant lock": (
        """
        import threading, time
        lock = threading.RLock()
        def hold():
            with lock:
                with lock: time.sleep(2)
                time.sleep(1)
        thread = threading.Thread(target=hold); thread.start(); time.sleep(1)
        print(lock.acquire(timeout=1.5)); print(lock.acquire()); lock.release()
        try: lock.release()
        except RuntimeError as error: print(error)
        """,
        [(2.5, "False"), (3, "True"), (3, "cannot release un-acquired lock")],
    ),
    "a condition": (
        """
        import threading, time
        for lock in (None, threading.Lock()):
            condition, ready = threading.Condition(lock), []
            def wait():
                with condition:
                    print(condition.wait_for(lambda: ready, timeout=5))
            threads = [threading.Thread(target=wait) for _ in range(2)]
            for each in threads: each.start()
            with condition: print(condition.wait(1))
            with condition:
                ready.append(1); condition.notify_all()
            for each in threads: each.join()
            print("end")
        """,
        [
            (1, "False"),
            (1, "[1]"),
            (1, "[1]"),
            (1, "end"),
            (2, "False"),
            (2, "[1]"),
            (2, "[1]"),
            (2, "end"),
        ],
    ),
    "an event": (
        """
        import threading, time
        event = threading.Event()
        threading.Timer(3, event.set).start()
        print(event.wait(1)); print(event.wait()); print(event.wait(1))
        timer = threading.Timer(1, print, ["never"]); timer.start(); timer.cancel(); timer.join()
        print("cancelled")
        """,
        [(1, "False"), (3, "True"), (3, "True"), (3, "cancelled")],
    ),
    "a semaphore": (
        """
        import threading, time
        gate = threading.BoundedSemaphore(2)
        def work():
            with gate:
                time.sleep(2)
        threads = [threading.Thread(target=work) for _ in range(5)]
        for each in threads: each.start()
        print(gate.acquire(timeout=1), gate.acquire(blocking=False))
        for each in threads: each.join()
        print("all")
        """,
        [(1, "False False"), (6, "all")],
    ),
    "a barrier": (
        """
        import threading, time
        barrier = threading.Barrier(2, timeout=5)
        def late():
            time.sleep(2); barrier.wait(); print("late")
        thread = threading.Thread(target=late); thread.start()
        barrier.wait(); thread.join(); print("passed")
        try: barrier.wait(1)
        except threading.BrokenBarrierError: print("broken")
        """,
        [(2, "late"), (2, "passed"), (3, "broken")],
    ),
    "a queue": (
        """
        import queue, threading, time
        for made in (queue.Queue(1), queue.LifoQueue(1), queue.PriorityQueue(1)):
            def serve():
                while made.get() is not None:
                    time.sleep(1); made.task_done()
                made.task_done()
            threading.Thread(target=serve).start()
            for _ in range(3): made.put(1)
            try: made.put(2, timeout=0.5)
            except queue.Full: print("full")
            made.join(); print("served")
            made.put(None); made.join()
            try: made.get(timeout=2)
            except queue.Empty: print("empty")
        """,
        [
            (1.5, "full"),
            (3, "served"),
            (5, "empty"),
            (6.5, "full"),
            (8, "served"),
            (10, "empty"),
            (11.5, "full"),
            (13, "served"),
            (15, "empty"),
        ],
    ),
    "a simple queue": (
        """
        import queue, threading, time
        made = queue.SimpleQueue()
        try: made.get(timeout=1)
        except queue.Empty: print("empty")
        try: made.get_nowait()
        except queue.Empty: print("still")
        threading.Timer(2, made.put, ["x"]).start()
        print(made.get(), made.qsize(), made.empty())
        try: made.get(timeout=-1)
        except ValueError as error: print(error)
        """,
        [
            (1, "empty"),
            (1, "still"),
            (3, "x 0 True"),
            (3, "'timeout' must be a non-negative number"),
        ],
    ),
}


@pytest.mark.parametrize("name", WAYS)
def test_way_to_wait(name: str, scripts: Scenes) -> None:
    source, expected = WAYS[name]
    assert scripts.events(textwrap.dedent(source)) == expected
