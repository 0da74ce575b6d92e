"""Verifying a run: a sample of its grades is made again, without the cache, and compared."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, as_completed
from dataclasses import dataclass

from ml_api_class.cache_keys import Origin
from ml_api_class.engines.engine import Engine
from ml_api_class.errors import ClassError, WorkerEnded
from ml_api_class.grading.unit import Answer, Unit
from ml_api_class.journal.journal import Journal
from ml_api_class.journal.records import Standing, State
from ml_api_class.verdict import outcomes


@dataclass(frozen=True)
class Difference:
    """A grade that did not come out the same.

    Attributes:
        told: what differs, in sentences.
    """

    submission: str
    told: tuple[str, ...]


def sample(journal: Journal, share: float, draw: random.Random) -> list[Standing]:
    """Return that share of the graded submissions, drawn; at least one.

    Raises:
        ClassError: none is graded.
    """
    graded = [each for each in journal.standings() if each.state == State.GRADED]
    if not graded:
        raise ClassError("No submission of this run is graded yet; run lab class grade first.")
    number = min(max(round(share * len(graded)), 1), len(graded))
    return draw.sample(graded, number)


def require_same(journal: Journal, origins: Mapping[str, Origin]) -> None:
    """Look whether what made the grades is what would make them now.

    Raises:
        ClassError: it is not; a difference would say nothing.
    """
    for origin in journal.origins():
        now = origins.get(origin.task)
        if now == origin or now is None:
            continue
        changed = [
            name
            for name in ("checks", "harness", "environment", "tier", "memory")
            if getattr(now, name) != getattr(origin, name)
        ]
        raise ClassError(
            f"Since this run was graded, this has changed for {origin.task}: "
            f"{', '.join(changed)}. Run lab class regrade to see what that changes."
        )


def verify(journal: Journal, engine: Engine, standings: Sequence[Standing]) -> list[Difference]:
    """Grade these again, each whole and by itself; return what did not come out the same."""
    waiting = list(standings)
    in_flight: dict[Future[Answer], Standing] = {}
    differences = []
    while waiting or in_flight:
        while waiting and len(in_flight) < engine.capacity:
            standing = waiting.pop()
            files = standing.submission.files
            packed = tuple(
                (verdict.task, journal.packed(files[verdict.task])) for verdict in standing.verdicts
            )
            in_flight[engine.submit(Unit(standing.submission.id, packed))] = standing
        future = next(as_completed(in_flight))
        standing = in_flight.pop(future)
        if told := _compare(standing, future):
            differences.append(Difference(standing.submission.id, told))
    return sorted(differences, key=lambda each: each.submission)


def _compare(standing: Standing, future: Future[Answer]) -> tuple[str, ...]:
    try:
        answer = future.result()
    except WorkerEnded as error:
        return (str(error),)
    if answer.harness_problem:
        return (answer.harness_problem,)
    before, now = outcomes(standing.verdicts), outcomes(answer.verdicts)
    return tuple(
        f"{check}: {before[check][1]} points before, {now[check][1]} now."
        for check in before
        if before[check] != now[check]
    )
