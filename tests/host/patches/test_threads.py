"""Threads and their pools in lab time."""

from __future__ import annotations

import textwrap

import pytest

from tests.support.toy import Scenes

WAYS = {
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
}


@pytest.mark.parametrize("name", WAYS)
def test_way_to_wait(name: str, scripts: Scenes) -> None:
    source, expected = WAYS[name]
    assert scripts.events(textwrap.dedent(source)) == expected
