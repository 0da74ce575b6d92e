"""Grading without pytest, for commands: the processes first, all else while they start."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ml_api_lab.course.catalog import Catalog
from ml_api_lab.course.place import Place
from ml_api_lab.course.syllabus import Entry
from ml_api_lab.course.tree import TREES, Tree
from ml_api_lab.sandbox.hosts import isolation
from ml_api_lab.sandbox.hosts.pools_of_a_run import HostPools
from ml_api_lab.session import preflight

if TYPE_CHECKING:
    from ml_api_lab.trials.grader import Grader


def open_grader(
    place: Place, entries: Sequence[Entry], chosen: isolation.Isolation | None = None
) -> Grader:
    """Return a grader of the course, with the processes for these tasks on their way.

    Args:
        entries: the tasks whose processes are started at once, as far as what is in `exercises`
            needs them; none if it is not known yet.
        chosen: how far those are confined; by default, as far as costs a student nothing.

    Raises:
        CourseError: the checks of a task are wrong.
        WrongEnvironment: packages are missing.
    """
    preflight.require_dependencies(place.course)
    preflight.require_assertions()
    preflight.require_loopback()
    chosen = isolation.choose("auto", place.course) if chosen is None else chosen
    pools = HostPools(chosen.confinement)
    try:
        exercises = Tree(TREES[0], place.course / TREES[0])
        pools.start(entries, Catalog(place.course, place.syllabus), exercises.folder)
        # Late, so that the first processes are on their way before all of this is loaded.
        from ml_api_lab.trials.grader import Grader
        from ml_api_lab.trials.task_runner import TaskRunner
    except BaseException:
        pools.close()
        raise
    return Grader(place.course, place.syllabus, place.here, TaskRunner(pools), chosen)
