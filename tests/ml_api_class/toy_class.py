"""A toy class: students of the toy course, and an engine that answers in this process."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path

from click.testing import CliRunner, Result

from ml_api_class.cache_keys import Origin
from ml_api_class.cli.command import command
from ml_api_class.grading.unit import Answer, Unit
from ml_api_class.journal.journal import Journal
from ml_api_class.journal.records import Person, Submission
from ml_api_class.task_files import TaskFiles
from ml_api_class.verdict import CheckVerdict, TaskVerdict
from ml_api_lab.course.snapshot import File

TASKS = ("task_0_1", "task_0_2")


def origin(task: str, **changes: object) -> Origin:
    """Return what makes a verdict of the toy course."""
    given = {
        "task": task,
        "checks": "c",
        "harness": "h",
        "environment": "e",
        "tier": "landlock",
        "clock": "lab",
        "budget": 20.0,
        "seed": 1,
        "memory": 0,
    }
    return Origin(**{**given, **changes})  # type: ignore[arg-type]  # the test says which


def task_files(text: str) -> TaskFiles:
    """Return a task's files: its main.py."""
    return TaskFiles({"main.py": File(text.encode())})


def verdict(task: str, points: int = 4, *, doubtful: bool = False) -> TaskVerdict:
    """Return a verdict of one check of ten points."""
    check = CheckVerdict(
        id=f"checks/{task}/test_toy.py::test_one",
        title="One.",
        passed=points == 10,
        points=points,
        maximum=10,
        message="" if points == 10 else "It printed 'bye'.",
        card="" if points == 10 else "It printed 'bye'.\n\npytest again",
        is_doubtful=doubtful,
    )
    return TaskVerdict(task, (check,))


def put(journal: Journal, id_: str, texts: Mapping[str, str], person: Person | None = None) -> None:
    """Write a submission of these texts into a journal."""
    files = {task: task_files(text) for task, text in texts.items()}
    submission = Submission(
        id_,
        person or Person(id_),
        {task: each.digest for task, each in files.items()},
        fingerprint=hashlib.sha256(repr(texts).encode()).hexdigest(),
    )
    journal.put_submission(submission, {each.digest: each for each in files.values()}, 0)


class InstantEngine:
    """Answers at once, in this process.

    Args:
        answer: what it answers, or raises, to a unit.
    """

    def __init__(self, answer: Callable[[Unit], Answer], capacity: int = 2) -> None:
        self.capacity = capacity
        self.units: list[Unit] = []
        self._answer = answer

    def submit(self, unit: Unit) -> Future[Answer]:
        self.units.append(unit)
        future: Future[Answer] = Future()
        try:
            future.set_result(self._answer(unit))
        except Exception as error:
            future.set_exception(error)
        return future

    def progress(self) -> list[str]:
        return []

    def close(self) -> None:
        pass


class ToyClass:
    """A class of a toy course.

    Attributes:
        submissions: the folder into which students hand in.
        out: the run's folder.
    """

    def __init__(self, course: Path, folder: Path) -> None:
        self.course = course
        self.folder = folder
        self.submissions = folder / "submissions"
        self.submissions.mkdir()
        self.out = folder / "run"

    def hand_in(self, student: str, **mains: str) -> Path:
        """Let a student hand in a main.py for each of these tasks."""
        for task, text in mains.items():
            path = self.submissions / student / task / "main.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return self.submissions / student

    def command(self, monkeypatch_chdir: Callable[[Path], None], *args: str) -> Result:
        """Run `lab class` in the course, in this process."""
        monkeypatch_chdir(self.course)
        return CliRunner().invoke(command, list(args), standalone_mode=False)
