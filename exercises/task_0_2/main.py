"""Task 0.2: the same two tasks as coroutines, still one after the other.

Build `slow_task` and `main` again, now with `async def`. Run as a script (`python main.py`), this
file prints the same lines as in task 0.1, at the same times:

    Starting task Task 1: 09:00:00
    Finished task Task 1: 09:00:03
    Starting task Task 2: 09:00:03
    Finished task Task 2: 09:00:10
    All tasks finished

But while it waits, the event loop stays free for others. Imported, it does nothing.
"""

import asyncio
import time


async def slow_task(name: str, delay: float) -> None:
    raise NotImplementedError("Task 0.2: as in task 0.1, but wait without blocking the loop")


async def main() -> None:
    raise NotImplementedError("Task 0.2: await Task 1 for 3 s, then Task 2 for 7 s")


if __name__ == "__main__":
    asyncio.run(main())
