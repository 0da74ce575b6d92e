"""A made-up class of any size, with the course's own tasks and cards that differ as real ones do.

Who is where in the course, and how often somebody is wrong, is as in the generated class that is
graded; here nothing is graded. A card is one of the course's golden cards with what is a student's
own in it: their lines of output, the names in their traceback, the numbers of its lines.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from ml_api_class.journal.records import Person, Standing, State, Submission
from ml_api_class.page.assembly import assemble
from ml_api_class.page.contents import Contents
from ml_api_class.page.proven import Figures, Proven
from ml_api_class.verdict import CheckVerdict, TaskVerdict
from ml_api_lab.course import syllabus
from ml_api_lab.course.catalog import Catalog, Check
from tests.proofs.prover import COURSE

SYLLABUS = syllabus.read(COURSE / "checks" / "syllabus.toml")
SECTIONS = ("Monday", "Tuesday", "\u05e9\u05d9\u05e2\u05d5\u05e8")
_FIRST = ("Ada", "Bo", "Chloé", "Dee", "\u05e0\u05d5\u05e2\u05d4", "Fatima", "Gül", "Hana", "Ib")
_LAST = ("Lovelace", "O'Neil", "Ångström", "Drake, Jr.", "\u05db\u05d4\u05df", "Nguyen", "Øst")
_WORDS = (
    "model", "result", "answer", "cache", "flower", "payload", "loader", "state", "label", "reply",
    "store", "value", "entry", "client", "session", "record", "worker", "token", "job", "item",
)  # fmt: skip
_MISTAKES_OF_A_TASK = 4
PROVEN_TASK = "task_3_1"
PROVEN_FIGURES = Figures(mistakes=4, cost=2.5, alone=3, killed=5, mutants=11)
_STUB = "stub"


@cache
def _golden(task: str) -> tuple[str, ...]:
    path = COURSE / "tests" / "proofs" / "cards" / f"{task}.txt"
    if not path.is_file():
        return ()  # of real processes, whose cards are never the same twice
    cards = re.split(r"^##### .*\n\n", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return tuple(each.strip() for each in cards if each.strip())


@cache
def _checks(task: str) -> tuple[Check, ...]:
    return tuple(Catalog(COURSE, SYLLABUS).task(task).values())


def _proven() -> Proven:
    figures = {check.name: PROVEN_FIGURES for check in _checks(PROVEN_TASK)}
    return Proven({PROVEN_TASK: figures}, "Those of 3.2 are left out.")


def _failed(check: Check, mistake: int, draw: random.Random) -> CheckVerdict:
    """Return a failure of a check by one of its task's mistakes, as one student's card tells it."""
    golden = _golden(check.task)
    text = golden[mistake % len(golden)] if golden else "It saw nothing."
    blocks = text.split("\n\n")
    word, other, number = draw.choice(_WORDS), draw.choice(_WORDS), draw.randrange(1, 400)
    said = f"It saw {word!r} {number} times; right is what mistake {chr(65 + mistake)} hides."
    lines = [
        f"    09:00:0{n}     | {draw.choice(_WORDS)} {other}_{draw.randrange(1000)} is ready"
        for n in range(draw.randrange(6))
    ]
    printed = ["What it printed:", *lines] if lines else []
    raised = [
        f"It raised KeyError: '{word}_{other}'",
        f"  {check.task}/main.py:{number} in {word}_{other}",
        f"      {word} = {other}[{draw.randrange(100)}]",
    ]
    card = "\n\n".join(
        [
            f"{check.title}  (0 of {check.points})",
            said,
            *blocks[2:-1],
            "\n".join(printed),
            "\n".join(raised if mistake % 2 else []),
            f"Again: pytest {check.id} --seed=1",
        ]
    )
    return CheckVerdict(check.id, check.title, False, 0, check.points, said, card)


def _passed(check: Check) -> CheckVerdict:
    return CheckVerdict(check.id, check.title, True, check.points, check.points)


@cache
def _right(task: str) -> TaskVerdict:
    return TaskVerdict(task, tuple(map(_passed, _checks(task))))


@cache
def _stub(task: str) -> TaskVerdict:
    draw = random.Random(task)
    return TaskVerdict(task, tuple(_failed(check, 1, draw) for check in _checks(task)))


def _wrong(task: str, draw: random.Random) -> TaskVerdict:
    checks = _checks(task)
    mistake = draw.randrange(_MISTAKES_OF_A_TASK)
    fixed = random.Random(f"{task} {mistake}")
    failing = set(fixed.sample(range(len(checks)), min(fixed.randrange(1, 5), len(checks))))
    return TaskVerdict(
        task,
        tuple(
            _failed(check, mistake, draw) if place in failing else _passed(check)
            for place, check in enumerate(checks)
        ),
    )


def standings(number: int, seed: int = 1) -> list[Standing]:
    """Return a class in the middle of the course; the same one for the same seed."""
    draw = random.Random(seed)
    made = []
    for index in range(number):
        id_ = f"s{index:05}"
        person = Person(
            f"{draw.choice(_FIRST)} {draw.choice(_LAST)} {index}",
            section=draw.choice(SECTIONS),
            is_late=draw.random() < 0.05,
        )
        if draw.random() < 0.03:
            reason = draw.choice(("Nothing was handed in.", "It took more than 900 s."))
            made.append(Standing(Submission(id_, person, {}), State.NOT_GRADED, reason))
            continue
        reach = draw.choices((range(1, 7), range(7, 14), range(14, 21)), (20, 70, 10))[0]
        reached = draw.choice(reach)
        verdicts = []
        files = {}
        for place, task in enumerate(SYLLABUS.names):
            files[task] = f"{id_} {task}" if place < reached else _STUB
            if place >= reached:
                verdicts.append(_stub(task))
            elif draw.random() < 0.25:
                verdicts.append(_wrong(task, draw))
            else:
                verdicts.append(_right(task))
        made.append(
            Standing(Submission(id_, person, files), State.GRADED, verdicts=tuple(verdicts))
        )
    return made


def is_untouched(submission: Submission, task: str) -> bool:
    return submission.files[task] == _STUB


def write(path: Path, made: Sequence[Standing]) -> Path:
    """Write the page of such a class."""
    # Of every third student nobody knows how many attempts there were.
    attempts = {each.submission.id: place % 3 for place, each in enumerate(made)}
    contents = Contents(SYLLABUS, made, is_untouched, attempts, _proven())
    text = assemble(SYLLABUS.title, "Seed 1.", contents.pack())
    path.write_text(text, encoding="utf-8", newline="\n")
    return path


def hostile(said: Mapping[str, str]) -> list[Standing]:
    """Return students of whom each has one of these texts as name, section, reason and card."""
    task = SYLLABUS.names[0]
    first, *others = _checks(task)
    made = []
    for name, text in said.items():
        failed = CheckVerdict(first.id, first.title, False, 0, first.points, text[:2000], text)
        verdict = TaskVerdict(task, (failed, *map(_passed, others)))
        person = Person(f"{name} {text[:100]}", section=text[:100])
        made.append(
            Standing(Submission(name, person, {task: name}), State.GRADED, text[:100], (verdict,))
        )
    return made
