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
    print(f"Starting task {name}: {time.strftime('%X')}")
    await asyncio.sleep(delay)
    print(f"Finished task {name}: {time.strftime('%X')}")


async def main() -> None:
    await slow_task("Task 1", 3)
    await slow_task("Task 2", 7)
    print("All tasks finished")


if __name__ == "__main__":
    asyncio.run(main())
