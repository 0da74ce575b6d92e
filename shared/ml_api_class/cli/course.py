"""What commands need of the course: which tasks are meant, and what makes a verdict."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ml_api_class import cache_keys
from ml_api_class.cache_keys import Origin
from ml_api_class.errors import ClassError
from ml_api_class.grading.unit import Settings
from ml_api_class.journal.journal import Journal
from ml_api_lab.course.place import Place
from ml_api_lab.lab_time import BUDGET_SECONDS
from ml_api_lab.sandbox.hosts import isolation
from ml_api_lab.sandbox.hosts.isolation import Isolation, Wanted

_MAX_SEED = 10**6


@dataclass(frozen=True)
class Course:
    """A course as a run grades it.

    Attributes:
        origins: what makes the verdicts, by task.
    """

    settings: Settings
    origins: dict[str, Origin]
    isolation: Isolation


def chosen_tasks(place: Place, said: str | None) -> list[str]:
    """Return the names of the tasks in a list like `3.1,3.2`; all for None and for `all`.

    Raises:
        CourseError: there is no task of that name.
    """
    if said is None or said.strip().lower() == "all":
        return place.syllabus.names
    names = {place.task(each).name for each in said.split(",") if each.strip()}
    if not names:
        raise ClassError("--tasks names no task; write --tasks 3.1,3.2 for two of them.")
    return [name for name in place.syllabus.names if name in names]


def kept_tasks(journal: Journal, place: Place) -> list[str]:
    """Return the tasks that a run was graded for; those that the course still has."""
    kept = (journal.setting("tasks") or "").split(",")
    return [name for name in place.syllabus.names if name in kept]


def chosen_seed(journal: Journal, asked: int | None) -> int:
    """Return the seed of a run, which stays as it was when the run began.

    Raises:
        ClassError: another one is asked for.
    """
    kept = journal.setting("seed")
    if kept is not None and asked is not None and asked != int(kept):
        raise ClassError(
            f"This run began with --seed {kept}; leave --seed out to go on with it, or name "
            "another folder with --out."
        )
    if kept is not None:
        return int(kept)
    seed = random.SystemRandom().randrange(_MAX_SEED) if asked is None else asked
    journal.set("seed", str(seed))
    return seed


def chosen_isolation(wanted: Wanted, course: Path) -> Isolation:
    """Return the isolation of a run.

    Raises:
        NotIsolated: that very tier was asked for, and does not hold.
        ClassError: none holds, and nobody has said that none is needed.
    """
    chosen = isolation.choose(wanted, course)
    if chosen.tier == "none" and wanted != "none":
        why = " ".join(chosen.notes)
        raise ClassError(
            f"{why} A class is not graded without isolation; grade it in a virtual machine with "
            "Linux, or, in a container that is thrown away, write --isolation=none."
        )
    return chosen


def open_course(
    place: Place, tasks: Sequence[str], chosen: Isolation, seed: int, memory: int
) -> Course:
    """Return the course as a run grades it."""
    harness, environment = cache_keys.of_harness(), cache_keys.of_environment()
    settings = Settings(place.course, tuple(tasks), chosen.tier, seed, memory)
    origins = {
        task: Origin(
            task=task,
            checks=cache_keys.of_checks(place.course, task),
            harness=harness,
            environment=environment,
            tier=chosen.tier,
            clock="lab",
            budget=BUDGET_SECONDS,
            seed=seed,
            memory=memory,
        )
        for task in tasks
    }
    return Course(settings, origins, chosen)
