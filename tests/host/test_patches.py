"""Lab time inside a submission: every way to wait in the standard library, by recorded events."""

from __future__ import annotations

import textwrap

import pytest

from tests.support.toy import Scenes

WAYS = {
    "sleep": (
        """
        import time
        time.sleep(2); print("a"); time.sleep(0); print("b"); time.sleep(0.25); print("c")
        """,
        [(2, "a"), (2, "b"), (2.25, "c")],
    ),
    "sleep refuses the past": (
        """
        import time
        try: time.sleep(-1)
        except ValueError as error: print(error)
        """,
        [(0, "sleep length must be non-negative")],
    ),
    "a thread that sleeps twice": (
        """
        import threading, time
        def work():
            time.sleep(1); print("first"); time.sleep(1); print("second")
        thread = threading.Thread(target=work); thread.start()
        time.sleep(1.5); print("main"); thread.join(); print("joined")
        """,
        [(1, "first"), (1.5, "main"), (2, "second"), (2, "joined")],
    ),
    "join with a timeout": (
        """
        import threading, time
        thread = threading.Thread(target=time.sleep, args=(3,)); thread.start()
        thread.join(1); print(thread.is_alive()); thread.join(5); print(thread.is_alive())
        """,
        [(1, "True"), (3, "False")],
    ),
    "a thread that dies": (
        """
        import threading, time
        threading.excepthook = lambda args: print(args.exc_type.__name__)
        def work():
            time.sleep(1); raise KeyError
        thread = threading.Thread(target=work); thread.start(); thread.join(); print("joined")
        """,
        [(1, "KeyError"), (1, "joined")],
    ),
    "a thread that dies while others wait": (
        """
        import threading, time
        threading.excepthook = lambda args: (time.sleep(1), print(args.exc_type.__name__))
        threading.Thread(target=lambda: (time.sleep(1), [][0])).start()
        time.sleep(5)
        print("main")
        """,
        [(2, "IndexError"), (5, "main")],
    ),
    "threading's own locks are real, also after the fork": (
        """
        import threading
        print(type(threading._active_limbo_lock).__module__)
        print(type(getattr(threading, "_shutdown_locks_lock", 0)).__name__ != "Lock")
        """,
        [(0, "_thread"), (0, "True")],
    ),
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
    "a pool": (
        """
        import time
        from concurrent.futures import ThreadPoolExecutor, wait, as_completed, FIRST_COMPLETED
        def work(delay):
            time.sleep(delay); return delay
        with ThreadPoolExecutor(2) as pool:
            print(list(pool.map(work, [2, 1, 1])))
            futures = [pool.submit(work, delay) for delay in (3, 1)]
            print(next(as_completed(futures)).result())
            try: futures[0].result(timeout=1)
            except TimeoutError: print("not yet")
            print(len(wait(futures).done))
            pool.submit(work, 2)
        print("closed")
        """,
        [(2, "[2, 1, 1]"), (3, "1"), (4, "not yet"), (5, "2"), (7, "closed")],
    ),
    "multiprocessing's pool of threads": (
        """
        import time
        from multiprocessing.pool import ThreadPool
        with ThreadPool(2) as pool:
            waiting = pool.map_async(time.sleep, [2, 1, 1])
            while not waiting.ready():
                time.sleep(0.75)
        print("done")
        """,
        [(2.25, "done")],
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
    "low-level threads and locks": (
        """
        import _thread, time
        def work():
            time.sleep(2); print("thread")
        _thread.start_new_thread(work, ())
        time.sleep(3); print("main")
        """,
        [(2, "thread"), (3, "main")],
    ),
    "sched": (
        """
        import sched
        plan = sched.scheduler()
        plan.enter(2, 1, print, ("two",)); plan.enter(1, 1, print, ("one",)); plan.run()
        """,
        [(1, "one"), (2, "two")],
    ),
}


@pytest.mark.parametrize("name", WAYS)
def test_way_to_wait(name: str, scripts: Scenes) -> None:
    source, expected = WAYS[name]
    assert scripts.events(textwrap.dedent(source)) == expected


def test_real_work_takes_no_lab_time(scripts: Scenes) -> None:
    """Computing, other processes, sockets and files are waited for, and the clock stands."""
    events = scripts.events(
        """
        import asyncio, multiprocessing, subprocess, sys, time
        from concurrent.futures import ProcessPoolExecutor

        def double(number):
            time.sleep(0.01)  # of real time: another process is outside the lab
            return 2 * number

        async def main():
            child = await asyncio.create_subprocess_exec(
                sys.executable, "-c", "import time; time.sleep(0.05); print('child')",
                stdout=subprocess.PIPE)
            print((await child.communicate())[0].decode().strip(), child.returncode)
            server = await asyncio.start_server(lambda r, w: (w.write(b"hello"), w.close()),
                                                "127.0.0.1", 0)
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            print((await reader.read()).decode())
            writer.close(); server.close()

        if __name__ == "__main__":
            print(sum(range(2_000_000)) > 0)
            sleeper = "import time; time.sleep(0.05)"
            print(subprocess.run([sys.executable, "-c", sleeper]).returncode)
            with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
                print(list(pool.map(double, [1, 2])))
            asyncio.run(main())
        """
    )
    assert events == [
        (0, "True"),
        (0, "0"),
        (0, "[2, 4]"),
        (0, "child 0"),
        (0, "hello"),
    ]


def test_idle_workers_let_time_pass(scripts: Scenes) -> None:
    """A pool waits for its workers' next word; they have none, and somebody sleeps meanwhile."""
    events = scripts.events(
        """
        import multiprocessing, time
        from concurrent.futures import ProcessPoolExecutor

        if __name__ == "__main__":
            with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
                print(pool.submit(abs, -2).result())
                time.sleep(3)
                print(pool.submit(abs, -3).result())
        """
    )
    assert events == [(0, "2"), (3, "3")]


def test_workers_that_are_at_work_take_no_lab_time(scripts: Scenes) -> None:
    """Starting one takes a while, and time would have passed for who sleeps meanwhile."""
    events = scripts.events(
        """
        import multiprocessing, threading, time
        from concurrent.futures import ProcessPoolExecutor

        def slow(number):
            time.sleep(0.3)  # of real time: another process is outside the lab
            return number

        if __name__ == "__main__":
            threading.Thread(target=lambda: (time.sleep(3), print("slept"))).start()
            with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
                print(pool.submit(slow, 1).result())
        """
    )
    assert events == [(0, "1"), (3, "slept")]
