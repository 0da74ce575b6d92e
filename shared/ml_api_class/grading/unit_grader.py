"""Grades units, one after the other, with trials; no pytest in it. It runs in worker processes."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from ml_api_class.grading.unit import Answer, Report, Settings, Unit
from ml_api_class.task_files import TaskFiles
from ml_api_class.verdict import CheckVerdict, TaskVerdict
from ml_api_lab.cli.grading import open_grader
from ml_api_lab.course.catalog import Catalog
from ml_api_lab.course.place import find
from ml_api_lab.course.tree import Tree
from ml_api_lab.grading.grade import Outcome, Result
from ml_api_lab.grading.verdict import Verdict
from ml_api_lab.protocol.confinement import UNCONFINED, Confinement
from ml_api_lab.sandbox.hosts.isolation import Isolation


def _ignore(done: int, number: int) -> None:
    pass


def _is_ours(verdict: Verdict) -> bool:
    """Whether the harness failed, and not the submission: also where a check never began."""
    has_begun = verdict.transcript is not None or verdict.is_absent
    return verdict.harness_failed or not has_begun


class UnitGrader:
    """Grades units of one course, on processes that stay.

    The tier of isolation is taken as it is: who starts this has tried whether it holds here.

    Raises:
        CourseError: the course or one of its checks is wrong.
    """

    def __init__(self, settings: Settings) -> None:
        place = find(settings.course)
        self._seed = settings.seed
        self._catalog = Catalog(place.course, place.syllabus)
        confinement = Confinement(settings.tier, str(place.course))
        if settings.tier == "none":
            confinement = UNCONFINED
        # Only what a unit asks for is started: after a change of one check that is little.
        self._grader = open_grader(place, [], Isolation(confinement))

    def grade(self, unit: Unit, report: Report = _ignore) -> Answer:
        """Grade a unit.

        Args:
            report: is told how far it is.
        """
        files = {task: TaskFiles.unpack(packed) for task, packed in unit.tasks}
        playable = [task for task, each in files.items() if not each.problem]
        results: Mapping[str, Result] = {}
        failed: list[Verdict] = []
        with tempfile.TemporaryDirectory(prefix="lab-unit-", ignore_cleanup_errors=True) as folder:
            self._grader.start(playable)
            root = Path(folder).resolve() / "exercises"
            root.mkdir()
            for task, each in files.items():
                each.write(root, task)
            if playable:
                grading = self._grader.prepare(playable, self._seed, Tree("exercises", root))
                grading.run(report)
                results, failed = grading.grade.results, grading.failed
                broken = next((each for each in failed if _is_ours(each)), None)
                if broken is not None:
                    return Answer(harness_problem=f"{broken.check.id}: {broken.message}")
        doubtful = {each.check.id for each in failed if not each.is_conclusive}
        return Answer(tuple(self._verdict(task, files[task], results, doubtful) for task in files))

    def close(self) -> None:
        """End all processes."""
        self._grader.close()

    def _verdict(
        self, task: str, files: TaskFiles, results: Mapping[str, Result], doubtful: set[str]
    ) -> TaskVerdict:
        checks = []
        for check in self._catalog.task(task).values():
            result = results.get(check.id) or Result(
                check, Outcome.FAILED, files.problem, f"{check.title}\n\n{files.problem}"
            )
            checks.append(
                CheckVerdict(
                    id=check.id,
                    title=check.title,
                    passed=result.outcome == Outcome.PASSED,
                    points=result.points,
                    maximum=check.points,
                    message=result.message,
                    card=result.card,
                    hint=result.hint,
                    lab_time=0 if check.on_the_wall_clock else int(result.lab_time),
                    is_doubtful=check.id in doubtful,
                )
            )
        return TaskVerdict(task, tuple(checks))
