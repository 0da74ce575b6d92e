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
    print(f"Starting task {name}: {time.strftime('%X')}")
    time.sleep(delay)
    print(f"Finished task {name}: {time.strftime('%X')}")


def main() -> None:
    slow_task("Task 1", 3)
    slow_task("Task 2", 7)
    print("All tasks finished")


if __name__ == "__main__":
    main()
