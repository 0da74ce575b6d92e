"""The figures of a proof, in the file that the page of a class reads."""

from __future__ import annotations

from pathlib import Path

from ml_api_class import cache_keys
from ml_api_class.page import proven
from ml_api_class.page.proven import Figures, ProvenTask
from ml_api_lab.course.catalog import Check
from tests.proofs.author.proof import Proof


def write(path: Path, course: Path, proof: Proof) -> None:
    """Write the figures of a task into a file, beside those of other tasks.

    Mutants that were measured before with the same checks stay, if they were not asked for now.
    """
    tasks = proven.read(path)
    digest = cache_keys.of_checks(course, proof.task)
    before = tasks.get(proof.task)
    known = before.figures if before is not None and before.checks == digest else {}
    figures = {check.name: _of_check(proof, check, known) for check in proof.checks}
    tasks[proof.task] = ProvenTask(digest, figures)
    proven.write(path, tasks)


def _of_check(proof: Proof, check: Check, known: dict[str, Figures]) -> Figures:
    costs = [each for each in proof.costs if each.case.check == check.name and not each.case.whole]
    before = known.get(check.name)
    killed = None if before is None else before.killed
    mutants = None if before is None else before.mutants
    if proof.mutation is not None:
        killed, mutants = proof.mutation.by_check[check.name], proof.mutation.number
    return Figures(
        mistakes=len(costs),
        cost=sum(each.points for each in costs) / len(costs) if costs else None,
        alone=sum(not each.others for each in costs),
        killed=killed,
        mutants=mutants,
    )
