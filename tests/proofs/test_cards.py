"""Golden cards: the whole text that a student sees, for typical failures of every task.

``pytest tests/proofs/test_cards.py --update-cards`` writes them anew; read the difference as a
student.
"""

from __future__ import annotations

import re
from itertools import groupby
from pathlib import Path

import pytest

from tests.proofs.prover import COURSE, Case, Prover, cases

CARDS = COURSE / "tests" / "proofs" / "cards"
PER_TASK = 2
# Whole, or cut with its row.
FRESH_ID = re.compile(
    r"\b[0-9a-f]{8}-[0-9a-f-]*|(?<=x-request-id: )[0-9a-f]+(?![g-z])|"
    r"(?<=\"id\": \")[0-9a-f]+(?![g-z])"
)


def typical() -> dict[str, list[Case]]:
    """Return the first mistakes of each task, each of another check."""
    found = {}
    for task, mistakes in groupby(cases("mistake"), lambda case: case.task):
        one_each = list({case.check: case for case in reversed(list(mistakes))}.values())[::-1]
        found[task] = one_each
    return found


TYPICAL = typical()

CHOSEN = {
    # Readers were led away by hints that followed from the check, and not from how it failed.
    "hints": (
        80,
        (
            "task_0_1: the last line is missing",
            "task_0_1: a coroutine, as in the next task",
            "task_0_2: main is not run",
            "task_0_2: works when it is imported",
            "task_0_3: waits for the first task alone",
            "task_3_1: features are rounded",
            "task_3_2: both take the longer time",
            "task_3_2: all waits share one thread",
            "task_3_2: the wait in a middleware holds every request",
            "task_4_3: who comes from the same origin is let in",
            "task_4_4: two lines for a request",
            "task_1_1: the command that installs it",
            "task_2_3: the list is made while the file is imported",
            "task_2_3: an object for each model",
            "task_3_1: classes are counted from 1",
            "task_3_1: a bad body is refused with the body as an echo, and no name",
            "task_4_1: the log has another name",
            "task_4_4: ids no longer than a fresh one",
            "task_4_4: odd ids are replaced",
            "task_5_2: the port is a text",
            "task_4_5: every hit renews the entry",
        ),
    ),
    # One of each kind: steps, a coroutine, requests, a start that fails, an error, a file.
    "narrow": (
        40,
        (
            "task_0_1: the last line is missing",
            "task_0_2: main is not run",
            "task_3_2: the sleep blocks the loop",
            "task_2_4: takes every path for relative",
            "task_2_3: answers the models themselves",
            "task_5_2: no probe",
        ),
    ),
    # What such a sentence says last is what is wrong.
    "long": (
        80,
        (
            "task_3_3: null is told apart from the other mistakes",
            "task_3_3: only measures with a single decimal are let through",
        ),
    ),
}
"""The mistakes whose cards are kept beside those of each task, by file, with the width."""


@pytest.mark.parametrize("task", TYPICAL)
def test_cards(
    task: str, prover: Prover, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> None:
    shown: list[str] = []
    for case in TYPICAL[task]:
        root = tmp_path_factory.mktemp("tree")
        case.write(root)
        assert case.check is not None
        verdict = prover.grade(root, task, case.check)[case.check]
        # Ports and pauses of real servers are never the same twice.
        if not verdict.on_the_wall_clock and len(shown) < PER_TASK:
            card = FRESH_ID.sub("(a fresh id)", verdict.card())
            shown.append(f"##### {case.name}\n\n{card}\n")
    seen = "\n\n".join(shown)
    path = CARDS / f"{task}.txt"
    if pytestconfig.getoption("--update-cards"):
        write(path, seen)
    assert seen == (path.read_text(encoding="utf-8") if path.exists() else ""), (
        f"the cards of {task} are not those in {path.name}; if they are to be so, run "
        f"pytest tests/proofs/test_cards.py -k {task} --update-cards, and read the difference"
    )


@pytest.mark.parametrize("name", CHOSEN)
def test_chosen_cards(
    name: str, prover: Prover, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> None:
    columns, ids = CHOSEN[name]
    by_id = {case.id: case for case in cases("mistake")}
    shown: list[str] = []
    for case in (by_id[each] for each in ids):
        root = tmp_path_factory.mktemp("tree")
        case.write(root)
        assert case.check is not None
        card = prover.grade(root, case.task, case.check)[case.check].card(columns)
        rows = card.split("\n\nAgain: ")[0].splitlines()
        assert [row for row in rows if len(row) > columns and " " in row.strip()] == []
        shown.append(f"##### {case.id}\n\n{FRESH_ID.sub('(a fresh id)', card)}\n")
    seen = "\n\n".join(shown)
    path = CARDS / f"{name}.txt"
    if pytestconfig.getoption("--update-cards"):
        write(path, seen)
    assert seen == path.read_text(encoding="utf-8")


def write(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    if text:
        path.write_text(text, encoding="utf-8")
    else:
        path.unlink(missing_ok=True)
