"""Where checks read kindly, another is strict: it alone stands between a mistake and full points.

Each leniency has a mistake that all checks of its task but one let pass. Without that check it
would be caught by none; so a leniency without a strict check shows here. That no other check fails
is proved in test_proofs.py, for every mistake that names no other.
"""

from __future__ import annotations

import pytest

from tests.proofs.costs import TOLD
from tests.proofs.prover import cases

LENIENCIES = {
    "how long both tasks take": "task_0_2: both at the same time, with gather",
    "what an import does": "task_0_2: works when it is imported",
    "a line at the end": "task_0_2: the last line is missing",
    "the words of a step": "task_0_2: says start for starting",
    "an await in the script": "task_0_2: a plain main",
    "a step that is not told": "task_0_3: two lines are missing",
    "a step in other words": "task_0_3: writes of awaiting in the present",
    "a task that is created late": (
        "task_0_3: the first task is awaited before the second is created"
    ),
    "a task that takes too long": "task_0_3: coroutines that become no tasks",
    "a task that nobody waits for": "task_0_3: waits for the first task alone",
    "two requirements on one line": "task_1_1: both on one line",
    "a line that is no requirement": "task_1_1: a single equals sign, and nothing else",
    "an option of pip's": "task_1_1: the requirements of another file",
    "another method": "task_1_2: the health is asked with POST",
    "another status": "task_1_2: an answer of 201",
    "another answer": "task_1_2: another key",
    "an application that is another": "task_1_3: another application is served",
    "addresses of the new family": (
        "task_1_3: all addresses of the new family, and none of the old one"
    ),
    "a file that serves when it is imported": "task_1_3: serves when it is imported",
    "a file with another ending": "task_2_1: gives the files an ending of its own",
    "a file in another folder": "task_2_1: saves into a folder of its own",
    "a file that is not there": "task_2_1: writes only one of the two files",
    "a model of another class": "task_2_1: saves a pipeline around the model",
    "a model that is not fitted": "task_2_1: fits one of the two only",
    "another number of features": "task_2_1: uses only the petals",
    "a class that is missing": (
        "task_2_1: trains on the first hundred flowers, which are of two classes"
    ),
    "classes with names": "task_2_1: trains on the classes' names",
    "scaled features": "task_2_1: trains on scaled features, which no later request has",
    "a model that is never loaded": "task_2_2: loads one of the two",
    "one file in the place of another": "task_2_2: loads the same file under both names",
    "a load at import beside another": "task_2_2: loads at import and again in the lifespan",
    "an endpoint that is gone": "task_2_2: a second application takes the place of the first",
    "names in an object each": "task_2_3: an object for each model",
    "names in one text": "task_2_3: the names as one text",
    "names without a key": "task_2_3: a bare list",
    "names under another key": "task_2_3: another key",
    "names in an answer that is no JSON": "task_2_3: answers the models themselves",
    "a request that loads the models": "task_2_3: each listing loads the models again",
    "a model listed twice": "task_2_3: a list that grows with every request",
    "a file that is not read": "task_2_4: never loads the file",
    "a file that wins": "task_2_4: the file wins over the process",
    "one variable for both models": "task_2_4: one variable for both models",
    "paths that begin in another folder": (
        "task_2_4: paths are taken from the folder above, where the server was started"
    ),
    "an own .env that is missing": "task_2_4: no .env",
}
CASES = {case.id: case for case in cases("mistake")}


@pytest.mark.parametrize("leniency", LENIENCIES)
def test_the_strict_check_alone_catches_it(leniency: str) -> None:
    case = CASES[LENIENCIES[leniency]]
    assert case.task in TOLD, f"what a mistake of {case.task} fails beside its check is not proved"
    assert not case.also and not case.whole, "other checks catch it too"
