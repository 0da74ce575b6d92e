"""The proof of a task as an author reads it, in 80 columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from ml_api_lab.cli.text import wrap
from ml_api_lab.course.catalog import Check
from ml_api_lab.course.syllabus import Entry
from tests.proofs.author import survivors
from tests.proofs.author.proof import Mutation, Proof
from tests.proofs.costs import Cost

COLUMNS = 80


def whole(entry: Entry, proof: Proof) -> Iterator[str]:
    """Yield the rows about one task: each mistake, what it fails, and what is to be repaired."""
    yield f"{entry.number} {entry.title}: {_count(len(proof.checks), 'check')}"
    if proof.costs:
        yield ""
        yield "Mistakes, each under its check, with the points that it costs:"
    for check in proof.checks:
        costs = [each for each in proof.costs if each.case.check == check.name]
        yield from _of_check(check, costs, proof.mutation)
    if any(each.unexplained for each in proof.costs):
        yield "(!): the entry of that mistake does not say that it breaks this, too."
    yield ""
    yield from totals(entry, proof)
    for told in proof.given:
        yield from wrap(f"{told[0].upper()}{told[1:]}. Does the task ask for that?", COLUMNS)
    yield from to_repair(proof.problems)
    if proof.mutation is not None:
        yield from to_explain(proof.mutation)


def short(entry: Entry, proof: Proof) -> Iterator[str]:
    """Yield the rows about one of many tasks: its totals, and what is to be repaired."""
    yield from totals(entry, proof)
    yield from to_repair(proof.problems)
    if proof.mutation is not None:
        yield from to_explain(proof.mutation)


def totals(entry: Entry, proof: Proof) -> Iterator[str]:
    """Yield what a task's corpus comes to."""
    own = [each for each in proof.costs if not each.case.whole]
    said = f"{entry.number}: {_count(len(proof.costs), 'mistake')}"
    if own:
        mean = sum(each.points for each in own) / len(own)
        alone = sum(not each.others for each in own)
        said += f" that cost {mean:.2f} points on average, {alone} of them fail only one check"
    if wholes := len(proof.costs) - len(own):
        said += f" ({wholes} that break the whole task are not counted)"
    yield from wrap(f"{said}; {_count(proof.variants, 'variant')}.", COLUMNS)
    if (mutation := proof.mutation) is not None:
        yield from wrap(
            f"{entry.number}: {_count(mutation.number, 'mutant')}: {mutation.killed} killed, "
            f"{mutation.explained} explained, {len(mutation.unexplained)} neither.",
            COLUMNS,
        )


def to_repair(problems: Sequence[str]) -> Iterator[str]:
    """Yield what an author must repair; nothing if that is nothing."""
    if problems:
        yield ""
        yield f"To repair: {_count(len(problems), 'thing')}"
    for problem in problems:
        first, *rest = wrap(" ".join(problem.split()), COLUMNS - 4)
        yield f"  - {first}"
        yield from (f"    {row}" for row in rest)


def to_explain(mutation: Mutation) -> Iterator[str]:
    """Yield the entries of mutants that no check kills and nobody has explained, to be pasted."""
    if not mutation.unexplained:
        return
    yield ""
    yield from wrap(
        "Kill each of these mutants by a better check, or explain it: say in reason why it is "
        f"right too, and paste it into {survivors.FILE}.",
        COLUMNS,
    )
    for change in mutation.unexplained:
        yield ""
        yield change.entry()


def _of_check(check: Check, costs: Sequence[Cost], mutation: Mutation | None) -> Iterator[str]:
    told = _count(check.points, "point")
    if mutation is not None:
        told += f", kills {_count(mutation.by_check[check.name], 'mutant')}"
    yield from wrap(f"  {check.name} ({told})", COLUMNS)
    ordered = sorted(costs, key=lambda each: (each.case.whole, each.points))
    for is_whole, several in groupby(ordered, key=lambda each: each.case.whole):
        if is_whole:
            yield "      break the whole task:"
        for cost in several:
            missed = "" if check.name in cost.failed else " (not caught)"
            yield from wrap(f"    {cost.points:>2}  {cost.case.name}{missed}", COLUMNS)
            if cost.others and not is_whole:
                marked = [
                    f"{name} (!)" if name in cost.unexplained else name for name in cost.others
                ]
                yield from wrap(f"        also {', '.join(marked)}", COLUMNS)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def conclusion(problems: int) -> str:
    """Return the last row."""
    return f"{_count(problems, 'thing')} to repair." if problems else "Nothing to repair."
