"""Event loops in lab time: timers, timeouts, threads of theirs, and loops in threads."""

from __future__ import annotations

import textwrap

import pytest

from tests.support.toy import Scenes

WAYS = {
    "two timers at the same moment fire in the order they were set": (
        """
        import asyncio
        async def main():
            loop = asyncio.get_running_loop()
            for name in "abc":
                loop.call_later(2, print, name)
            await asyncio.sleep(2)
            print("awake")
        asyncio.run(main())
        """,
        [(2, "a"), (2, "b"), (2, "c"), (2, "awake")],
    ),
    "asyncio": (
        """
        import asyncio
        async def wait(name, delay):
            await asyncio.sleep(delay); print(name)
        async def main():
            async with asyncio.TaskGroup() as group:
                group.create_task(wait("three", 3)); group.create_task(wait("one", 1))
            try:
                async with asyncio.timeout(1.5): await wait("never", 9)
            except TimeoutError: print("timeout")
            await asyncio.gather(wait("x", 1), wait("y", 1))
            await asyncio.wait_for(asyncio.to_thread(__import__("time").sleep, 2), 3); print("done")
        asyncio.run(main())
        """,
        [(1, "one"), (3, "three"), (4.5, "timeout"), (5.5, "x"), (5.5, "y"), (7.5, "done")],
    ),
    "to_thread has 32 threads on any machine": (
        """
        import asyncio, time
        async def main():
            await asyncio.gather(*(asyncio.to_thread(time.sleep, 1) for _ in range(33)))
            print("all")
        asyncio.run(main())
        """,
        [(2, "all")],
    ),
    "a loop in another thread": (
        """
        import asyncio, threading, time
        loop = asyncio.new_event_loop()
        threading.Thread(target=loop.run_forever).start()
        async def work():
            await asyncio.sleep(2); print("worked"); return 7
        future = asyncio.run_coroutine_threadsafe(work(), loop)
        time.sleep(1); print("main"); print(future.result())
        loop.call_soon_threadsafe(loop.stop)
        """,
        [(1, "main"), (2, "worked"), (2, "7")],
    ),
    "anyio": (
        """
        import anyio, time
        async def main():
            async with anyio.create_task_group() as group:
                for _ in range(41): group.start_soon(anyio.to_thread.run_sync, time.sleep, 1)
            print("all")
            with anyio.move_on_after(3): await anyio.sleep_forever()
            print("moved on")
        anyio.run(main)
        """,
        [(2, "all"), (5, "moved on")],
    ),
}


@pytest.mark.parametrize("name", WAYS)
def test_way_to_wait(name: str, scripts: Scenes) -> None:
    source, expected = WAYS[name]
    assert scripts.events(textwrap.dedent(source)) == expected
