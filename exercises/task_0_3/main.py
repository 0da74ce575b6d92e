"""Task 0.3: both tasks at the same time.

Keep `slow_task`, and rebuild `main`: it creates both tasks before it waits for either, and prints
each step with the time at which it happens:

    Starting: 09:00:00
    Created task 1: 09:00:00
    Created task 2: 09:00:00
    Awaited task 1: 09:00:03
    Awaited task 2: 09:00:07

The lines of `slow_task` come in between. Run as a script (`python main.py`), all of it takes 7 s,
no longer than the slower task alone. Imported, it does nothing.
"""

import asyncio
import time


async def slow_task(name: str, delay: float) -> None:
    print(f"Starting task {name}: {time.strftime('%X')}")
    await asyncio.sleep(delay)
    print(f"Finished task {name}: {time.strftime('%X')}")


async def main() -> None:
    raise NotImplementedError("Task 0.3: create both tasks, then wait for both, telling each step")


if __name__ == "__main__":
    asyncio.run(main())
