"""What a mistake costs: each mistake of a corpus, graded with all checks of its task.

    python -m tests.proofs.costs task_3_1 task_3_2

prints, per task, the mean cost of a mistake in points and the share that fails exactly one check,
and for every other mistake which checks fail beside its own. Those that the corpus does not allow
(see `prover`: `also`, `whole`) are marked.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.proofs.prover import Case, Prover, Verdict, cases


@dataclass(frozen=True)
class Cost:
    """What one mistake costs.

    Attributes:
        points: of all checks that fail.
        failed: their names, in the order of the task.
    """

    case: Case
    points: int
    failed: tuple[str, ...]

    @property
    def others(self) -> tuple[str, ...]:
        """The checks that fail beside the mistake's own."""
        return tuple(name for name in self.failed if name != self.case.check)

    @property
    def unexplained(self) -> tuple[str, ...]:
        """The checks that fail although the corpus does not say that the mistake breaks them."""
        if self.case.whole:
            return ()
        return tuple(name for name in self.others if name not in self.case.also)


def cost(prover: Prover, case: Case, verdicts: dict[str, Verdict]) -> Cost:
    """Add up what the failed checks are worth."""
    failed = [check for check in prover.checks(case.task) if verdicts[check.name].message]
    return Cost(case, sum(each.points for each in failed), tuple(each.name for each in failed))


def measure(prover: Prover, task: str) -> Iterator[Cost]:
    """Grade all mistakes of a task with all its checks."""
    for case in cases("mistake"):
        if case.task == task:
            with tempfile.TemporaryDirectory() as folder:
                case.write(Path(folder))
                yield cost(prover, case, prover.grade(Path(folder), task))


def summary(title: str, costs: list[Cost]) -> str:
    """Return a line with the mean cost and the share of mistakes that fail exactly one check."""
    if not costs:
        return f"{title}: no mistakes"
    mean = sum(each.points for each in costs) / len(costs)
    single = sum(len(each.failed) == 1 for each in costs)
    return (
        f"{title}: {len(costs)} mistakes, mean cost {mean:.2f} points, "
        f"{single} ({single / len(costs):.0%}) fail exactly one check"
    )


def report(task: str, costs: list[Cost]) -> str:
    """Return the task's summary, and a line for each mistake that fails more than its check."""
    lines = [summary(task, [each for each in costs if not each.case.whole])]
    if any(each.case.whole for each in costs):
        lines.append(summary(f"{task}, the whole missing too", costs))
    for each in costs:
        if each.others:
            names = [f"{n} (!)" if n in each.unexplained else n for n in each.others]
            lines.append(f"  {each.points}  {each.case.name}: {each.case.check}, also {names}")
    return "\n".join(lines).replace("'", "")


def main() -> int:
    """Print the report of the named tasks, all by default.

    Returns:
        1 if a mistake is not caught by its check, or fails one that its entry does not speak of.
    """
    parser = argparse.ArgumentParser(description="Print what the mistakes of the corpora cost.")
    parser.add_argument("task", nargs="*", default=Prover.tasks())
    every: list[Cost] = []
    prover = Prover()
    try:
        for task in parser.parse_args().task:
            costs = list(measure(prover, task))
            every += costs
            print(report(task, costs), flush=True)
    finally:
        prover.close()
    print(summary("all but the whole missing", [each for each in every if not each.case.whole]))
    print(summary("all", every))
    uncaught = [each.case.id for each in every if each.case.check not in each.failed]
    unexplained = [each.case.id for each in every if each.unexplained]
    for title, ids in (("not caught", uncaught), ("fails more than it says", unexplained)):
        print(*(f"{title}: {each}" for each in ids), sep="\n", end="\n" if ids else "")
    return 1 if uncaught or unexplained else 0


if __name__ == "__main__":
    raise SystemExit(main())
