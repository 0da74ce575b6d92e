"""The grader: grades tasks of one tree without pytest, again and again, on processes that stay."""

from __future__ import annotations

import random
import shutil
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from ml_api_lab.course import stubs
from ml_api_lab.course.catalog import Catalog
from ml_api_lab.course.place import path_from
from ml_api_lab.course.syllabus import Syllabus
from ml_api_lab.course.tree import Tree
from ml_api_lab.errors import CourseError
from ml_api_lab.grading.grade import HARNESS_FAILED, INTERRUPTED, Grade, Outcome, Result
from ml_api_lab.grading.shown import fail, rerun_command
from ml_api_lab.grading.verdict import Verdict
from ml_api_lab.lab_time import BUDGET_SECONDS
from ml_api_lab.sandbox.files.workspace import sweep
from ml_api_lab.sandbox.hosts.isolation import Isolation
from ml_api_lab.trials import trusted
from ml_api_lab.trials.machine_lock import MachineLock
from ml_api_lab.trials.parallel_trials import ParallelTrials
from ml_api_lab.trials.task_runner import TaskRunner
from ml_api_lab.trials.trial import Trial, can_play, forget_checks, load, play


def _ignore(done: int, number: int) -> None:
    pass


class Grading:
    """One grading of some tasks.

    Attributes:
        grade: what has come of it so far.
        failed: the verdicts of the checks that failed, in the order of the grade.
        isolation: how far the submissions' processes are confined.
    """

    def __init__(
        self,
        trials: Sequence[Trial],
        grade: Grade,
        parallel: ParallelTrials,
        course: Path,
        here: Path,
        isolation: Isolation,
    ) -> None:
        self.grade = grade
        self.isolation = isolation
        self.failed: list[Verdict] = []
        self._trials = trials
        self._parallel = parallel
        self._course = course
        self._here = here

    def run(self, on_progress: Callable[[int, int], None] = _ignore) -> None:
        """Grade; return when all verdicts are there, or soon after it was cancelled.

        Args:
            on_progress: is told how many checks of how many have their verdict.

        Raises:
            KeyboardInterrupt: it was interrupted; the grade says so.
        """
        trusted.load()
        watch = trusted.Watch(self._course, self.isolation.tier)
        try:
            self._parallel.begin(self._trials)
            for number, trial in enumerate(self._trials, 1):
                verdict = self._parallel.verdict(trial)
                if verdict is None and not self._parallel.is_over:
                    verdict = self._parallel.play_alone(trial)
                if verdict is None or self._parallel.is_over:
                    self.grade.ended = INTERRUPTED
                    return
                self._record(verdict)
                on_progress(number, len(self._trials))
            if self.grade.harness_failed:
                self.grade.ended = HARNESS_FAILED
        except KeyboardInterrupt:
            self.grade.ended = INTERRUPTED
            raise
        finally:
            self._parallel.end()
            sweep()
            if changes := watch.changes():
                self.grade.warnings.append(trusted.sentence(changes))

    def cancel(self) -> None:
        """End it now, from any thread."""
        self._parallel.cut_short()

    @property
    def tree(self) -> Tree:
        """The tree that is graded."""
        return self._trials[0].tree

    def is_untouched(self, task: str) -> bool:
        """Whether a task's files are still those that were handed out."""
        return stubs.is_untouched(self._course, task, self.tree.folder(task))

    def card(self, verdict: Verdict, *, is_whole: bool = False) -> str:
        """Return the card of a failed check, with the command for the folder that we are in."""
        columns = shutil.get_terminal_size().columns
        command = self._command_again(verdict, is_reported=False)
        return verdict.card(command, columns=columns, is_whole=is_whole)

    def _record(self, verdict: Verdict) -> None:
        result = self.grade.results[verdict.check.id]
        result.real_time = verdict.real_seconds
        result.lab_time = verdict.lab_time
        if verdict.passed:
            result.outcome = Outcome.PASSED
            return
        self.grade.harness_failed |= verdict.harness_failed
        fail(result, verdict, self._command_again(verdict, is_reported=True))
        self.failed.append(verdict)

    def _command_again(self, verdict: Verdict, *, is_reported: bool) -> str:
        check = verdict.check
        file = check.path if is_reported else path_from(self._here, self._course / check.path)
        node = f"{file}::{check.name}"
        return rerun_command(self.grade, node, is_reported=is_reported)


class Grader:
    """Grades tasks of a course's `exercises`, or of any other tree.

    Args:
        here: the folder in which commands that are shown will be given.
        runner: whose processes to use; closed with the grader.
        isolation: how far those are confined.
    """

    def __init__(
        self, course: Path, syllabus: Syllabus, here: Path, runner: TaskRunner, isolation: Isolation
    ) -> None:
        self._course = course
        self._syllabus = syllabus
        self._here = here
        self._runner = runner
        self._isolation = isolation
        self._catalog = Catalog(course, syllabus)
        self._digests: dict[frozenset[str], str] = {}
        self._exercises = Tree("exercises", course / "exercises")
        if str(course) not in sys.path:
            sys.path.insert(0, str(course))  # checks import what several of them share

    def prepare(
        self, tasks: Sequence[str], seed: int | None = None, tree: Tree | None = None
    ) -> Grading:
        """Return a grading of these tasks that is yet to run.

        Args:
            seed: what the draws begin with; by default, drawn afresh.
            tree: what is graded; by default, the course's `exercises`.

        Raises:
            CourseError: a check is wrong, or one for pytest alone.
        """
        if seed is None:
            seed = random.SystemRandom().randrange(10**6)
        tree = self._exercises if tree is None else tree
        grade = Grade(self._syllabus, tree.name, "lab", seed, isolation=self._isolation.tier)
        grade.digest = self._digest(tasks)
        trials = [trial for task in tasks for trial in self._trials(task, seed, tree)]
        grade.results.update({trial.check.id: Result(trial.check) for trial in trials})
        parallel = ParallelTrials(
            partial(play, runner=self._runner),
            lambda trial: self._runner.lay_out(trial.entry, trial.tree),
            None if self._isolation.has_own_ports else MachineLock(),
        )
        return Grading(trials, grade, parallel, self._course, self._here, self._isolation)

    def start(self, tasks: Sequence[str]) -> None:
        """Start the processes that the checks of these tasks will need, if they are not there.

        Raises:
            CourseError: the checks of a task are wrong.
        """
        self._runner.pools.start([self._syllabus.entry(task) for task in tasks], self._catalog)

    def reload(self) -> None:
        """Read all checks anew: their files have changed."""
        forget_checks()
        self._digests.clear()
        self._catalog = Catalog(self._course, self._syllabus)

    def refill(self, tasks: Sequence[str]) -> None:
        """Start the processes that the next grading of the same tasks will need.

        It may need more than the last one: what was a stub may be none any more.
        """
        self.start(tasks)
        self._runner.pools.refill()

    def close(self) -> None:
        """End all processes."""
        self._runner.close()

    def _digest(self, tasks: Sequence[str]) -> str:
        """Return the digest of what was trusted when the checks of these tasks were loaded."""
        asked = frozenset(tasks)
        if asked not in self._digests:
            self._digests[asked] = trusted.digest(self._course)
        return self._digests[asked]

    def _trials(self, task: str, seed: int, tree: Tree) -> list[Trial]:
        entry = self._syllabus.entry(task)
        trials = []
        for check in self._catalog.task(task).values():
            try:
                function = load(self._course, check)
            except Exception as error:
                raise CourseError(f"{check.path} cannot be loaded: {error!r}.") from error
            if not can_play(function):
                raise CourseError(
                    f"{check.id} asks for what only pytest gives; run: pytest checks/{task}"
                )
            trials.append(
                Trial(
                    check=check,
                    function=function,
                    entry=entry,
                    tree=tree,
                    seed=seed,
                    clock="real" if check.on_the_wall_clock else "lab",
                    budget=BUDGET_SECONDS,
                )
            )
        return trials
