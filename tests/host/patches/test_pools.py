"""Pools of processes: their work takes no lab time, and idle they let it pass."""

from __future__ import annotations

from tests.support.toy import Scenes


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
