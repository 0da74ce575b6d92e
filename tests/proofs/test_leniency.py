"""Where checks read kindly, another is strict: it alone stands between a mistake and full points.

Each leniency has a mistake that all checks of its task but one let pass. Without that check it
would be caught by none; so a leniency without a strict check shows here.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.proofs.prover import Case, Prover, cases

LENIENCIES = {
    "the shape of a prediction": "task_3_1: returns the whole list of predictions",
    "a prediction as text": "task_3_1: returns the prediction as text",
    "class 0": "task_3_1: class 0 counts as no answer",
    "the name of the model": "task_3_1: answers without the model's name",
    "the name of a wrong feature": "task_3_1: a missing feature is refused without its name",
    "the length of a wait": "task_3_2: both take the longer time",
    "an inclusive limit": "task_3_3: 10 is let through",
    "a limit that is not there": "task_3_3: the lower bound is left out",
    "a default that is not used": "task_3_3: two defaults have changed places",
    "a narrower limit in the docs": "task_3_3: the upper limit is too low",
    "the unit of a header": "task_4_4: milliseconds for seconds",
    "the caller's id": "task_4_4: the caller's id is thrown away",
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
}
CASES = {case.id: case for case in cases("mistake")}


@pytest.mark.parametrize("leniency", LENIENCIES)
def test_the_strict_check_alone_catches_it(leniency: str, prover: Prover, tmp_path: Path) -> None:
    case: Case = CASES[LENIENCIES[leniency]]
    case.write(tmp_path)
    verdicts = prover.grade(tmp_path, case.task)
    assert [name for name, each in verdicts.items() if each.message] == [case.check]
