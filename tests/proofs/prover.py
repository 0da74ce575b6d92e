"""Proving checks: many wrong and right submissions, graded in one process without pytest.

A corpus is a TOML file for a task, `corpus/task_3_2.toml`. It lists mistakes and variants of the
task's solution, each a few edits::

    [[mistake]]
    name = "the sleep blocks the loop"
    check = "test_two_predictions_share_the_wait"
    says = "Both together took 5 s"

    [[mistake.edit]]
    file = "main.py"
    old = "await asyncio.sleep(wait)"
    new = "time.sleep(wait)"

    [[variant]]
    name = "waits in a worker thread"

    [[variant.edit]]
    ...

An edit replaces `old`, which must occur exactly once, by `new`; without `old` it writes the whole
file, without `new` it removes the file. A mistake must fail its check with a message that contains
`says`; a variant must pass all of them. A mistake that is smaller than what the wall clock forgives
says `exact = true`: only lab time shows it.

A mistake costs its own points. A check that it fails beside its own must be named in `also`, with
the reason in `because`: which other sentence of the contract it breaks. Where the whole is missing
(no file, an application that never starts), any check may fail: `whole = true`, with `because`::

    also = ["test_health_is_answered_at_once"]
    because = "a blocked loop answers nobody"
"""

from __future__ import annotations

import random
import shutil
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from ml_api_lab.course import catalog, syllabus
from ml_api_lab.course.catalog import Check
from ml_api_lab.course.corpus import Edit, edits_of
from ml_api_lab.course.tree import Tree
from ml_api_lab.grading import verdict as grading
from ml_api_lab.grading.card import COLUMNS
from ml_api_lab.protocol.confinement import UNCONFINED, Confinement
from ml_api_lab.protocol.messages import ClockName
from ml_api_lab.sandbox.hosts.pools_of_a_run import HostPools
from ml_api_lab.trials.task_runner import TaskRunner
from ml_api_lab.trials.trial import Trial, load, play

COURSE = Path(__file__).resolve().parents[2]
CORPUS_FOLDER = "tests/proofs/corpus"
CORPUS = COURSE / CORPUS_FOLDER
BUDGET = 60.0

IGNORED = [
    line.strip("/") for line in (COURSE / ".gitignore").read_text(encoding="utf-8").splitlines()
]
LEFT_OUT = shutil.ignore_patterns(*IGNORED)
"""For `shutil.copytree`: what trying a task by hand leaves in its folder is no part of it."""


@dataclass(frozen=True)
class Case:
    """A mistake (with the check that must fail, and what it must say) or a variant."""

    task: str
    name: str
    edits: tuple[Edit, ...]
    check: str | None = None
    says: str = ""
    exact: bool = False
    course: Path = COURSE
    also: tuple[str, ...] = ()
    whole: bool = False

    @property
    def id(self) -> str:
        return f"{self.task}: {self.name}"

    def write(self, tree: Path) -> Path:
        """Write the edited solution into that tree; return the task's folder."""
        folder = tree / self.task
        shutil.copytree(self.course / "solutions" / self.task, folder, ignore=LEFT_OUT)
        for edit in self.edits:
            path = folder / edit.file
            try:
                text = edit.applied(path.read_text(encoding="utf-8") if path.exists() else None)
            except ValueError as error:
                raise ValueError(
                    f"{self.task}, {self.name!r}: {error}; the case no longer fits the solution"
                ) from error
            if text is None:
                path.unlink()
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
        return folder


def files(folder: Path) -> list[str]:
    """Return the files that belong to a task's folder, as relative paths, sorted."""
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(path.as_posix() for path in found if not LEFT_OUT(str(folder), list(path.parts)))


def cases(kind: str, course: Path = COURSE) -> Iterator[Case]:
    """Yield the cases of all corpora that are of that kind, "mistake" or "variant".

    Raises:
        ValueError: a corpus says what it cannot say.
    """
    for path in sorted((course / CORPUS_FOLDER).glob("task_*.toml")):
        for table in tables(path).get(kind, ()):
            yield case_of(course, path.stem, kind, table)


def tables(path: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the tables of a corpus, by their kind.

    Raises:
        ValueError: it is not TOML, or has a table of another kind.
    """
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    require_known(content, ("mistake", "variant"), path.name)
    return content


def case_of(course: Path, task: str, kind: str, table: dict[str, Any]) -> Case:
    """Return the case that a table of a task's corpus describes.

    Raises:
        ValueError: it lacks a field, or has one that nobody reads.
    """
    where = f"{task}, {table.get('name', 'a ' + kind + ' without a name')!r}"
    required = ["name", "edit", *(["check", "says"] if kind == "mistake" else ())]
    optional = ["exact", "also", "whole", "because"] if kind == "mistake" else []
    require_known(table, (*required, *optional), where)
    if missing := [each for each in required if each not in table]:
        raise ValueError(f"{where}: a {kind} has {', '.join(required)}; it lacks {missing[0]!r}")
    for edit in table["edit"]:
        require_known(edit, ("file", "old", "new"), f"{where}: an edit")
        if "file" not in edit:
            raise ValueError(f"{where}: an edit names no file")
    if ("because" in table) != ("also" in table or "whole" in table):
        raise ValueError(f"{where}: 'because' is the reason of 'also' or 'whole'")
    return Case(
        task,
        table["name"],
        edits_of(table),
        table.get("check"),
        table.get("says", ""),
        table.get("exact", False),
        course,
        tuple(table.get("also", ())),
        table.get("whole", False),
    )


def require_known(table: Mapping[str, Any], known: Sequence[str], where: str) -> None:
    """See that a table has no field but these.

    Raises:
        ValueError: it has another; the sentence names the field that is meant, if one is near.
    """
    for name in table:
        if name not in known:
            raise ValueError(f"{where} has the unknown field {name!r}{near(name, known)}")


def near(word: str, words: Iterable[str]) -> str:
    """Return the end of a sentence about a misspelt word, "" if no other is near it."""
    close = get_close_matches(word, list(words), 1)
    return f"; did you mean {close[0]!r}?" if close else ""


@dataclass(frozen=True)
class Verdict:
    """What a check said of a submission.

    Attributes:
        message: None for a pass.
        lab_time: how far the clock went, in nanoseconds.
        raised: the exceptions that kept the submission from being imported.
        on_the_wall_clock: whether the check talks to a real process.
        has_drawn: whether the check drew anything; what drew nothing is the same with any seed.
        found: the verdict as it was found, with all that a student would see of a failure.
    """

    message: str | None
    lab_time: int
    raised: tuple[str, ...] = ()
    on_the_wall_clock: bool = False
    has_drawn: bool = False
    found: grading.Verdict | None = None

    def card(self, columns: int = COLUMNS) -> str:
        """Return what a student would see of a failure in a terminal of that width."""
        if self.message is None or self.found is None:
            return ""
        return self.found.card(f"pytest {self.found.check.id}", columns=columns)


@dataclass(frozen=True)
class _WatchedTrial(Trial):
    """A trial that tells whether its check drew anything when it was last played."""

    _last: list[random.Random] = field(default_factory=list, compare=False)

    def draw(self) -> random.Random:
        self._last[:] = [super().draw()]
        return self._last[0]

    @property
    def has_drawn(self) -> bool:
        fresh = super().draw().getstate()
        return any(each.getstate() != fresh for each in self._last)


class Prover:
    """Grades trees, with the same processes throughout."""

    def __init__(
        self,
        clock: ClockName = "lab",
        seed: int = 1,
        budget: float = BUDGET,
        course: Path = COURSE,
        confinement: Confinement = UNCONFINED,
    ) -> None:
        self.course = course
        self.syllabus = syllabus.read(course / "checks" / "syllabus.toml")
        self.catalog = catalog.Catalog(course, self.syllabus)
        self._clock = clock
        self._seed = seed
        self._budget = budget
        self._runner = TaskRunner(HostPools(confinement))

    @staticmethod
    def tasks() -> list[str]:
        return syllabus.read(COURSE / "checks" / "syllabus.toml").names

    def checks(self, task: str) -> list[Check]:
        return list(self.catalog.task(task).values())

    def on_the_wall_clock(self, case: Case) -> bool:
        """Whether the check of a mistake talks to a real process."""
        check = next(each for each in self.checks(case.task) if each.name == case.check)
        return check.on_the_wall_clock

    def grade(
        self, root: Path, task: str, only: str | None = None, seed: int | None = None
    ) -> dict[str, Verdict]:
        """Grade one task of the tree in that folder; return its checks' verdicts by name.

        Args:
            only: the one check to ask, by default all.
            seed: what the draws begin with, in place of the prover's.
        """
        checks = [check for check in self.checks(task) if only in (None, check.name)]
        if not checks:
            names = ", ".join(check.name for check in self.checks(task))
            raise ValueError(f"corpus/{task}.toml names {only}; {task} has {names}")
        return {check.name: self._verdict(root, check, seed) for check in checks}

    def trial(self, root: Path, check: Check, seed: int | None = None) -> _WatchedTrial:
        """Return the trial of that check on the tree in that folder."""
        return _WatchedTrial(
            check=check,
            function=load(self.course, check),
            entry=self.syllabus.entry(check.task),
            tree=Tree("exercises", root),  # as a student's own, wherever it lies
            seed=self._seed if seed is None else seed,
            clock="real" if check.on_the_wall_clock else self._clock,
            budget=self._budget,
        )

    def _verdict(self, root: Path, check: Check, seed: int | None) -> Verdict:
        trial = self.trial(root, check, seed)
        found = play(trial, self._runner)
        if found.transcript is None:
            raise AssertionError(f"{check.id} could not begin: {found.error}") from found.error
        stopped = (each.type for each in found.transcript.raised if each.stage == "import")
        return Verdict(
            None if found.passed else found.message,
            found.lab_time,
            tuple(stopped),
            check.on_the_wall_clock,
            trial.has_drawn,
            found,
        )

    def close(self) -> None:
        self._runner.close()
