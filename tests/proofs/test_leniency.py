"""Where checks read kindly, another is strict: it alone stands between a mistake and full points.

Each leniency has a mistake that all checks of its task but one let pass. Without that check it
would be caught by none; so a leniency without a strict check shows here, once the corpus is right
about what each mistake fails. `tox -e costs` proves that of all of them, test_proofs.py of some.
"""

from __future__ import annotations

import pytest

from tests.proofs.prover import cases

LENIENCIES = {
    "steps of two tasks at once": "task_0_1: both tasks overlap, in threads",
    "an end that is said at once": "task_0_1: the end is said before the wait",
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
    "the shape of a prediction": "task_3_1: returns the whole list of predictions",
    "a prediction as text": "task_3_1: returns the prediction as text",
    "class 0": "task_3_1: class 0 counts as no answer",
    "the name of the model": "task_3_1: answers without the model's name",
    "the name of a wrong feature": "task_3_1: a missing feature is refused without its name",
    "the length of a wait": "task_3_2: both take the longer time",
    "twenty where two wait in turn": "task_3_2: a lock makes the two wait in turn",
    "an inclusive limit": "task_3_3: 10 is let through",
    "a limit that is not there": "task_3_3: the lower bound is left out",
    "a default that is not used": "task_3_3: two defaults have changed places",
    "a narrower limit in the docs": "task_3_3: the upper limit is too low",
    "the unit of a header": "task_4_4: milliseconds for seconds",
    "the caller's id": "task_4_4: the caller's id is thrown away",
    "a duration that is as wrong as the header": "task_4_4: measured once the answer is there",
    "a refusal that nothing observes": (
        "task_4_4: inside the guard, so that refusals lack the headers"
    ),
    "a page that nothing observes": "task_4_4: the docs are left out",
    "words before a line's JSON": "task_4_4: logging puts its own words before the JSON",
    "a key of a line": "task_4_4: a key of the line is misnamed",
    "the types in a line of the log": "task_4_1: the features are a list",
    "an answer that waits for its line": "task_4_1: the logger is awaited before the answer",
    "a record over several lines": "task_4_1: a record over several lines",
    "a list of records": "task_4_1: the log is one JSON list, over many lines",
    "line breaks": "task_4_1: a line break before each line, and none behind the last",
    "a line in two pieces": "task_4_1: two lines torn into each other",
    "lines at the same time": "task_4_1: read, then written back 5 s later",
    "earlier lines": "task_4_1: each line overwrites the one before",
    "one open door": "task_4_2: only the list of models is guarded",
    "the status of a refusal": "task_4_2: the refusal is a 400",
    "the place of the key": "task_4_2: .env wins over the environment",
    "a caller who came in before": "task_4_2: who came in once is let in for ever",
    "an open path that the code names": "task_4_3: whatever belongs to the docs is open",
    "paths that nobody has listed": "task_4_3: only GET and POST are guarded",
    "an open path that is shut": "task_4_3: health is shut",
    "a page below the docs": "task_4_3: a list of guarded paths instead of open ones",
    "the words of a cache": "task_4_5: HIT in small letters",
    "where a cache tells them": "task_4_5: HIT and MISS stand in the body",
    "a HIT that takes time": "task_4_5: the wait comes before the look-up",
    "a HIT that asks the model": "task_4_5: a HIT is told, and the model asked all the same",
    "the model in a key": "task_4_5: the model's name is missing from the key",
    "decimals in a key": "task_4_5: the features are rounded in the key",
    "another body that means the same": "task_4_5: known again by the body as it was sent",
    "entries that never expire": "task_4_5: nothing expires",
    "entries that a HIT renews": "task_4_5: every hit renews the entry",
    "a time to live that is not read": "task_4_5: CACHE_TTL is not read",
    "a size that bounds nothing": "task_4_5: no bound",
    "a port in the command": "task_5_1: a fixed port",
    "a variable that nobody replaces": "task_5_1: nobody replaces $PORT",
    "a field at another level": "task_5_2: a field one level too deep",
    "a field in other letters": "task_5_2: Azure: fields in another spelling",
    "a mapping in place of a list": "task_5_2: a mapping where a list belongs",
}
CASES = {case.id: case for case in cases("mistake")}


@pytest.mark.parametrize("leniency", LENIENCIES)
def test_the_strict_check_alone_catches_it(leniency: str) -> None:
    case = CASES[LENIENCIES[leniency]]
    assert not case.also and not case.whole, "other checks catch it too"
