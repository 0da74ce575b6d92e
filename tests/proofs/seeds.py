"""No luck: each case of a corpus has the same verdicts, whatever its checks draw.

    python -m tests.proofs.seeds task_3_1 task_3_2 --seeds 20

grades the solution, the stub, the mistakes and the variants of the tasks, all by default, with each
seed, and prints every check that passes with some seeds and fails with others, and every mistake
whose message changes so much that it no longer holds what its entry promises. A check that has
drawn nothing with the first seed does the same with all, and is asked once.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from tests.proofs.prover import COURSE, Case, Prover, cases

SEEDS = 20


def of_task(task: str) -> Iterator[Case]:
    """Yield all that is known of a task: the stub, the solution, mistakes and variants."""
    yield from (Case(task, tree, ()) for tree in ("exercises", "solutions"))
    for kind in ("mistake", "variant"):
        yield from (case for case in cases(kind) if case.task == task)


def changes(
    prover: Prover, case: Case, seeds: Sequence[int], *, on_the_wall_clock: bool
) -> Iterator[str]:
    """Yield a sentence for each check of the case whose verdict depends on the seed."""
    checks = [
        check
        for check in prover.checks(case.task)
        if on_the_wall_clock or not check.on_the_wall_clock
    ]
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        if case.check is None and not case.edits:
            root = COURSE / case.name
        else:
            case.write(root)
        for check in checks:
            messages = {}
            for seed in seeds:
                verdict = prover.grade(root, case.task, check.name, seed)[check.name]
                messages[seed] = verdict.message
                if not verdict.has_drawn:
                    break
            yield from _changes(case, check.name, messages)


def of_one_task(
    task: str, seeds: Sequence[int], *, on_the_wall_clock: bool
) -> tuple[int, list[str]]:
    """Return how many cases a task has, and a sentence for each verdict that changes."""
    known = list(of_task(task))
    prover = Prover()
    try:
        found = [
            sentence
            for case in known
            for sentence in changes(prover, case, seeds, on_the_wall_clock=on_the_wall_clock)
        ]
    finally:
        prover.close()
    return len(known), found


def _changes(case: Case, check: str, messages: dict[int, str | None]) -> Iterator[str]:
    passed = [seed for seed, message in messages.items() if message is None]
    if passed and len(passed) < len(messages):
        failed = next(seed for seed in messages if seed not in passed)
        yield (
            f"{case.id}: {check} passes with {len(passed)} of {len(messages)} seeds, such as "
            f"{passed[0]}, and fails with others: {failed}: {messages[failed]}"
        )
    if check == case.check:
        for seed, message in messages.items():
            if message is not None and case.says not in message:
                yield f"{case.id}: with seed {seed}, {check} says {message}; not {case.says!r}."
                return


def main() -> int:
    """Print what depends on the seed.

    Returns:
        1 if anything does.
    """
    parser = argparse.ArgumentParser(description="Look for verdicts that depend on the seed.")
    parser.add_argument("task", nargs="*", default=Prover.tasks())
    parser.add_argument("--seeds", type=int, default=SEEDS, help="how many to try")
    parser.add_argument("--first", type=int, default=1, help="the first of them")
    parser.add_argument(
        "--lab-time", action="store_true", help="leave out the checks on the wall clock"
    )
    parser.add_argument("--processes", type=int, default=os.cpu_count(), help="tasks at once")
    options = parser.parse_args()
    seeds = range(options.first, options.first + options.seeds)
    total = 0
    with ProcessPoolExecutor(options.processes) as processes:
        asked = [
            processes.submit(of_one_task, task, seeds, on_the_wall_clock=not options.lab_time)
            for task in options.task
        ]
        for task, future in zip(options.task, asked, strict=True):
            known, found = future.result()
            print(f"{task}: {known} cases, {len(seeds)} seeds, {len(found)} changes")
            print(*(f"  {each}" for each in found), sep="\n", end="\n" if found else "", flush=True)
            total += len(found)
    return 1 if total else 0


if __name__ == "__main__":
    raise SystemExit(main())
