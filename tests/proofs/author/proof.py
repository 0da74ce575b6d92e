"""What is proved of a task's checks: everything that an author has written for it, graded.

Each submission is graded as `lab run` grades a student's: by all checks of the task, side by side.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ml_api_lab.course.catalog import Catalog, Check
from ml_api_lab.course.place import Place
from ml_api_lab.course.tree import Tree
from ml_api_lab.errors import HarnessError
from ml_api_lab.grading.grade import Outcome
from ml_api_lab.trials.grader import Grader
from tests.proofs.author import counts, junk, spelling, survivors
from tests.proofs.author.survivors import Change
from tests.proofs.costs import Cost
from tests.proofs.prover import CORPUS_FOLDER, Case, case_of, files, tables

MISTAKES, VARIANTS = 5, 2
"""How many a corpus has at the least."""

_SEED = 1


def _ignore(done: int, number: int) -> None:
    pass


@dataclass(frozen=True)
class Failures:
    """What the checks of a task said of one submission.

    Attributes:
        messages: of each check that failed, by its name, in the order of the task.
        points: what these checks are worth.
    """

    messages: dict[str, str]
    points: int


@dataclass
class Mutation:
    """What became of the mutants of a task's solution.

    Attributes:
        killed: how many there are that a check fails.
        by_check: how many each check fails, by its name.
        explained: how many survive with a reason in the list of survivors.
        unexplained: those that survive without one.
        gone: what the list explains, and no mutant does any more, or a check fails by now.
    """

    number: int = 0
    killed: int = 0
    by_check: Counter[str] = field(default_factory=Counter)
    explained: int = 0
    unexplained: list[Change] = field(default_factory=list)
    gone: list[Change] = field(default_factory=list)


@dataclass
class Proof:
    """What is proved of one task.

    Attributes:
        problems: what its author has to repair, in sentences.
        costs: of each mistake.
        variants: how many there are.
        given: what applications that answer everything alike earn, in sentences.
        mutation: None if nobody has asked for mutants.
    """

    task: str
    checks: list[Check]
    problems: list[str] = field(default_factory=list)
    costs: list[Cost] = field(default_factory=list)
    variants: int = 0
    given: list[str] = field(default_factory=list)
    mutation: Mutation | None = None


class Author:
    """Proves the tasks of a course.

    Args:
        grader: of that course; closed by whoever has opened it.
    """

    def __init__(self, place: Place, grader: Grader) -> None:
        self._course = place.course
        self._syllabus = place.syllabus
        self._catalog = Catalog(place.course, place.syllabus)
        self._grader = grader

    def course_problems(self) -> list[str]:
        """Return what is wrong beside the tasks: pages that count them, and the survivors."""
        found = list(counts.wrong_counts(self._course, self._syllabus))
        try:
            explained = survivors.read(self._course)
        except ValueError as error:
            return [*found, str(error)]
        names = self._syllabus.names
        for change in {each.change.task: each.change for each in explained}.values():
            if change.task not in names:
                found.append(f"{survivors.FILE} has {change.task!r}, which is no task")
        return found

    def prove(
        self,
        task: str,
        *,
        with_mutants: bool = False,
        on_progress: Callable[[int, int], None] = _ignore,
    ) -> Proof:
        """Grade all that is there for a task.

        Args:
            on_progress: is told how many submissions of how many are graded.

        Raises:
            CourseError: a check is wrong.
            HarnessError: the lab itself failed.
        """
        proof = Proof(task, list(self._catalog.task(task).values()))
        proof.problems += counts.wrong_points(self._course, task, proof.checks)
        proof.problems += spelling.misspelt(self._course, self._syllabus, task)
        mistakes, variants = self._corpus(proof)
        mutants = list(survivors.of_task(self._course, task)) if with_mutants else []
        number = 2 + len(junk.KINDS) + len(mistakes) + len(variants) + len(mutants)
        done = 0

        def count() -> None:
            nonlocal done
            done += 1
            on_progress(done, number)

        self._trees(proof, count)
        self._junk(proof, count)
        for case in mistakes:
            self._mistake(proof, case)
            count()
        for case in variants:
            self._variant(proof, case)
            count()
        if with_mutants:
            proof.mutation = Mutation(len(mutants))
            survived = set()
            for mutant in mutants:
                with tempfile.TemporaryDirectory() as folder:
                    survivors.write(self._course, task, mutant, Path(folder))
                    messages = self._grade(Path(folder), task).messages
                proof.mutation.by_check.update(list(messages))
                if messages:
                    proof.mutation.killed += 1
                else:
                    survived.add(Change.by(task, mutant))
                count()
            self._survivors(proof, proof.mutation, survived)
        return proof

    # --- what is there ----------------------------------------------------------------------------

    def _corpus(self, proof: Proof) -> tuple[list[Case], list[Case]]:
        """Return the mistakes and the variants that can be graded; tell of the others."""
        path = self._course / CORPUS_FOLDER / f"{proof.task}.toml"
        where = path.relative_to(self._course).as_posix()
        found: dict[str, list[Case]] = {"mistake": [], "variant": []}
        try:
            read = tables(path)
        except OSError:
            proof.problems.append(f"{where} is not there: no mistake proves the checks")
            return [], []
        except ValueError as error:
            proof.problems.append(f"{where}: {error}")
            return [], []
        for kind, several in read.items():
            for table in several:
                try:
                    case = case_of(self._course, proof.task, kind, table)
                    self._require_names(proof, case)
                    with tempfile.TemporaryDirectory() as folder:
                        case.write(Path(folder))
                except ValueError as error:
                    proof.problems.append(f"{CORPUS_FOLDER}: {error}")
                else:
                    found[kind].append(case)
        mistakes, variants = found["mistake"], found["variant"]
        proved = {case.check for case in mistakes}
        unproved = [check.name for check in proof.checks if check.name not in proved]
        proof.problems += [f"{where} has no mistake that fails {name}" for name in unproved]
        for number, least, what in (
            (len(mistakes), MISTAKES, "mistakes"),
            (len(variants), VARIANTS, "variants"),
        ):
            if number < least:
                proof.problems.append(f"{where} has {number} {what}; {least} are the least")
        return mistakes, variants

    def _require_names(self, proof: Proof, case: Case) -> None:
        """See that a case speaks of checks of its task.

        Raises:
            ValueError: it names another.
        """
        for name in (case.check, *case.also):
            wrong = "" if name is None else spelling.misspelt_check(name, proof.checks)
            if wrong:
                raise ValueError(f"{proof.task}, {case.name!r}: {wrong}")

    def _grade(self, root: Path, task: str) -> Failures:
        """Grade that task in the tree in that folder."""
        # As a student's own, wherever it lies.
        grading = self._grader.prepare([task], _SEED, Tree("exercises", root))
        grading.run()
        if grading.grade.harness_failed:
            raise HarnessError(next(each.message for each in grading.failed if each.harness_failed))
        failed = [
            result for result in grading.grade.results.values() if result.outcome != Outcome.PASSED
        ]
        messages = {result.check.name: result.message for result in failed}
        return Failures(messages, sum(result.check.points for result in failed))

    # --- what must come of it ---------------------------------------------------------------------

    def _trees(self, proof: Proof, count: Callable[[], None]) -> None:
        stub, solution = (
            set(files(self._course / tree / proof.task)) for tree in ("exercises", "solutions")
        )
        proof.problems += [
            f"Only one of exercises and solutions has {proof.task}/{name}"
            for name in sorted(stub ^ solution)
        ]
        lost = self._grade(self._course / "solutions", proof.task).messages
        proof.problems += [
            f"solutions/{proof.task} fails {name}: {message}" for name, message in lost.items()
        ]
        count()
        lost = self._grade(self._course / "exercises", proof.task).messages
        proof.problems += [
            f"exercises/{proof.task} passes {check.name} before any work is done"
            for check in proof.checks
            if check.name not in lost
        ]
        count()

    def _junk(self, proof: Proof, count: Callable[[], None]) -> None:
        names = files(self._course / "exercises" / proof.task)
        has_modules = any(name.endswith(".py") for name in names)
        for kind in junk.KINDS:
            if not (kind.must_earn_nothing or has_modules):
                count()  # it would be the sentence in each file once more
                continue
            with tempfile.TemporaryDirectory() as folder:
                kind.write(Path(folder) / proof.task, names)
                lost = self._grade(Path(folder), proof.task).messages
            passed = [check for check in proof.checks if check.name not in lost]
            if passed:
                points = sum(check.points for check in passed)
                earned = ", ".join(check.name for check in passed)
                told = f"{kind.name} earns {points} of 10: {earned}"
                if kind.must_earn_nothing:
                    proof.problems.append(f"Junk must earn nothing, and {told}")
                else:
                    proof.given.append(told)
            count()

    def _mistake(self, proof: Proof, case: Case) -> None:
        with tempfile.TemporaryDirectory() as folder:
            case.write(Path(folder))
            failures = self._grade(Path(folder), proof.task)
        cost = Cost(case, failures.points, tuple(failures.messages))
        proof.costs.append(cost)
        assert case.check is not None
        message = failures.messages.get(case.check)
        if message is None:
            others = f"only {', '.join(cost.failed)}" if cost.failed else "nor by another check"
            proof.problems.append(
                f"The mistake {case.name!r} is not caught by {case.check}, {others}"
            )
        elif case.says not in message:
            proof.problems.append(
                f"Of the mistake {case.name!r}, {case.check} says not {case.says!r}, but: {message}"
            )
        if cost.unexplained:
            proof.problems.append(
                f"The mistake {case.name!r} fails {', '.join(cost.unexplained)} beside its own "
                "check: make that check kinder, or name it in also, with the reason in because"
            )

    def _variant(self, proof: Proof, case: Case) -> None:
        with tempfile.TemporaryDirectory() as folder:
            case.write(Path(folder))
            failures = self._grade(Path(folder), proof.task)
        proof.variants += 1
        if failures.messages:
            said = "; ".join(f"{name}: {text}" for name, text in failures.messages.items())
            points = f"{failures.points} point{'' if failures.points == 1 else 's'}"
            proof.problems.append(f"The variant {case.name!r} is right, and loses {points}. {said}")

    def _survivors(self, proof: Proof, mutation: Mutation, survived: set[Change]) -> None:
        try:
            listed = survivors.read(self._course)
        except ValueError:  # told of the course
            listed = []
        explained = {each.change for each in listed if each.change.task == proof.task}
        mutation.unexplained = sorted(survived - explained)
        mutation.gone = sorted(explained - survived)
        mutation.explained = len(survived & explained)
        proof.problems += [
            f"A mutant survives in {each.file}: {each.becomes}" for each in mutation.unexplained
        ]
        proof.problems += [
            f"{survivors.FILE} explains {each.becomes!r} in {each.file}, and no such mutant "
            "survives: remove the entry"
            for each in mutation.gone
        ]
