"""Task 0.1: two slow tasks, one after the other.

Build `slow_task` and `main`. Run as a script (`python main.py`), this file prints

    Starting task Task 1: 09:00:00
    Finished task Task 1: 09:00:03
    Starting task Task 2: 09:00:03
    Finished task Task 2: 09:00:10
    All tasks finished

with the time at which each line is printed. Imported, it does nothing.
"""

import time


def slow_task(name: str, delay: float) -> None:
    raise NotImplementedError("Task 0.1: say that the task starts, wait, say that it has finished")


def main() -> None:
    raise NotImplementedError("Task 0.1: run Task 1 for 3 s, then Task 2 for 7 s")


if __name__ == "__main__":
    main()
