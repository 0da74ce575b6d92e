"""Cards: the whole text of each kind of failure, and what a submission says in one.

``pytest tests/grading/test_card.py --update-cards`` writes the golden ones anew.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ml_api_lab.course.catalog import Check
from ml_api_lab.grading.card import card, message_of
from ml_api_lab.grading.verdict import Verdict
from ml_api_lab.lab_time import Span
from ml_api_lab.sandbox.transcript import Frame, Line, Raised, Transcript
from ml_api_lab.sanitize import CARD_LIMIT, MESSAGE_LIMIT
from tests.proofs.test_cards import CARDS, write
from tests.support.grades import (
    obeyed_by_terminals,
)
from tests.support.toy import LIMIT, Course

APP = """\
import asyncio
import os
import time

from fastapi import FastAPI, Response

app = FastAPI()


@app.get("/double/{number}")
async def double(number: int):
    print("doubling", number)
    await asyncio.sleep(2)
    return {"double": number + 2}


@app.post("/echo")
async def echo(item: dict):
    return item["missing"]


@app.get("/headers")
async def headers(response: Response):
    response.headers["X-Short"] = "yes"
    response.headers["X-Long"] = "y" * 300


@app.get("/exit")
async def leave():
    os._exit(3)


@app.get("/wait")
async def wait():
    await asyncio.Event().wait()


@app.get("/loop")
async def loop():
    time.sleep(1.5)
    while True: pass
"""

SERVED = """
    @points(1, hint="What is twice 3?")
    async def test_sentence(task: Task, clock: Clock):
        \"\"\"Doubling doubles.\"\"\"
        async with task.serve() as client:
            await asyncio.sleep(1)
            answer = (await client.get("/double/3")).json()
        assert answer == {"double": 6}, f"GET /double/3 answered {answer}; right is 6."

    @points(1, hint="Look at the line.")
    async def test_traceback(task: Task, clock: Clock):
        \"\"\"Echoes are echoed.\"\"\"
        async with task.serve() as client:
            response = await client.post("/echo", json={"a": 1})
        status = response.status_code
        assert status == 200, f"POST /echo answered {status}; right is 200."

    @points(1, hint="Who asks?")
    async def test_headers(task: Task, clock: Clock):
        \"\"\"It says who it is.\"\"\"
        async with task.serve() as client:
            await client.get("/headers")
            who = {"X-API-Key": "my key", "Accept": "text/html"}
            response = await client.get("/headers", headers=who)
        assert not response.headers["X-Short"], "It answered X-Short: yes; right is nothing."

    @points(1, hint="Who ends it?")
    async def test_death(task: Task, clock: Clock):
        \"\"\"It lives on.\"\"\"
        async with task.serve() as client:
            await client.get("/exit")

    @points(1, hint="Who sets it?")
    async def test_standstill(task: Task, clock: Clock):
        \"\"\"It answers at last.\"\"\"
        async with task.serve() as client:
            await client.get("/wait")

    @points(1, hint="When does it end?")
    async def test_budget(task: Task, clock: Clock):
        \"\"\"It comes to rest.\"\"\"
        async with task.serve() as client:
            clock.budget = 2
            clock.renew_budget()
            await client.get("/loop")

    @points(4, hint="Is it there?")
    async def test_misuse(task: Task, clock: Clock):
        \"\"\"It is checked.\"\"\"
        async with task.serve() as client:
            (await client.get("/nowhere")).json()["key"]
"""

STARTED = """
    @points(10, hint="Which line?")
    async def test_start(task: Task, clock: Clock):
        \"\"\"It starts.\"\"\"
        async with task.serve():
            pass
"""

GUARDED = """\
from contextlib import asynccontextmanager

from fastapi import FastAPI

models = {}


@asynccontextmanager
async def lifespan(app):
    models["one"] = 1
    yield


class Guard:
    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        dict(scope["headers"])
        await self.app(scope, receive, send)


app = FastAPI(lifespan=lifespan)
app.add_middleware(Guard)


@app.get("/one")
async def one():
    return models["one"]
"""

GUARDS = """
    @points(10, hint="What is loaded?")
    async def test_lifespan(task: Task, clock: Clock):
        \"\"\"The model is there.\"\"\"
        async with task.serve() as client:
            answer = await client.get("/one")
        assert answer.status_code == 200, f"GET /one answered {answer.status_code}; right is 200."
"""

RUN = """
    @points(5, hint="Which line?")
    async def test_run(task: Task, clock: Clock):
        \"\"\"It runs.\"\"\"
        await task.run()

    @pytest.mark.skip
    @points(4, hint="Why?")
    async def test_skipped(task: Task, clock: Clock):
        \"\"\"It is skipped.\"\"\"

    @points(1, hint="Why?")
    async def test_late(task: Task, clock: Clock):
        \"\"\"It is in time.\"\"\"
        run = await task.run(may_fail=True)
        assert run.elapsed == seconds(1), (
            f"It took {run.elapsed}; 1 s is right. This sentence goes on and on, so that it is "
            "longer than the card is wide."
        )
"""

SCRIPT = """\
import time

for number in range(30):
    print("line", number)
    time.sleep(0.1)
print("::error:: \\x1b[31mred\\x1b[0m \\u202e")


def outer():
    inner()


def inner():
    raise ValueError("two\\nlines")


outer()
"""


@pytest.fixture(scope="module")
def cards(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    course = Course(tmp_path_factory.mktemp("cards") / "course")
    course.preload("fastapi")
    course.task("task_1_1", SERVED, APP)
    course.task("task_1_2", STARTED, "from fastapi import FastAPI\n\napp = FastAPI(\n")
    course.task("task_1_3", STARTED, "import os\n\nkey = os.environ['KEY']\n")
    course.task("task_1_4", STARTED, {"other.py": ""})
    course.task("task_1_5", RUN, SCRIPT)
    course.task("task_1_6", GUARDS, GUARDED)
    result = course.run(f"--budget={LIMIT}")
    return {
        name.replace(" test_", ", "): re.sub(r"--seed=\d+", "--seed=N", check["card"])
        for name, check in result.checks.items()
    }


def test_cards(cards: dict[str, str], pytestconfig: pytest.Config) -> None:
    seen = "\n\n".join(f"##### {name}\n\n{text}\n" for name, text in cards.items())
    path = CARDS / "kinds.txt"
    if pytestconfig.getoption("--update-cards"):
        write(path, seen)
    assert seen == path.read_text(encoding="utf-8")


def a_check() -> Check:
    return Check(
        task="task_0_1", file="test_a.py", name="test_a", title="A title.", points=1, hint="Why?"
    )


def test_wrapping_cannot_make_a_command() -> None:
    check = a_check()
    for width in range(60, 84):
        assert (
            obeyed_by_terminals(card(check, "x" * width + " ::error::forged", None, "pytest")) == []
        )


def test_what_was_said_does_not_stand_at_the_margin() -> None:
    check = a_check()
    forged = "It is wrong.\nTotal                 [####################] 200 of 200"
    transcript = Transcript(Path(), Path(), "exercises/task_0_1")
    transcript.lines = [Line(forged, Span(0))]
    transcript.entries = [(Span(0), forged)]
    transcript.raised = [Raised("E", forged, (Frame("a", 1, forged, forged),), "run", 0, Span(0))]
    assert "\nTotal" not in card(check, forged, transcript, "pytest")


def test_a_card_is_capped_and_says_so() -> None:
    check = a_check()
    transcript = Transcript(Path(), Path(), "exercises/task_0_1")
    transcript.entries = [(Span(n), f"!! {n} {'y' * 10**6}") for n in range(100)]
    transcript.lines = [Line("z" * 10**4, Span(n)) for n in range(2000)]
    transcript.dropped, transcript.unread = 7, 8
    transcript.raised = [Raised("E", "x" * 10**6, (), "run", n, Span(0)) for n in range(5)]
    message = message_of(AssertionError("w" * 10**6))
    assert len(message) < MESSAGE_LIMIT + 100
    assert message.endswith("ww ... (cut at 2000 characters)")
    text = card(check, "It is long.", transcript, "pytest", is_whole=True)
    assert len(text) < CARD_LIMIT + 500
    assert text.count("(cut at 500 characters)") > 10
    assert text.startswith("A title.  (0 of 1 point)\n\nIt is long.\nHint: Why?\n\n")
    assert text.endswith("\n\nAgain: pytest")


def busy_transcript() -> Transcript:
    """Return what happens in a check with many requests, one of which goes wrong."""
    transcript = Transcript(Path(), Path(), "exercises/task_0_1")
    for number in range(45):
        asked = transcript.request(Span(0), "POST", "/predict/one", [], b'{"petal": 1}')
        transcript.answer(Span(number), asked, 200, [], b'{"prediction": 1}')
    for number in range(30):
        asked = transcript.request(Span(number), "GET", f"/models/{number}", [], b"")
        transcript.answer(Span(number), asked, 200, [], b'{"models": []}' * 20)
    asked = transcript.request(Span(50), "GET", "/docs", [], b"")
    transcript.answer(Span(50), asked, 200, [], b"<html>" * 1000)
    transcript.lines = [Line("the same", Span(0))] * 9
    return transcript


@pytest.mark.parametrize("columns", [80, 40])
def test_a_brief_card_fits_a_screen(columns: int) -> None:
    sentence = "GET /models/12 answered 200; right is 404."
    text = card(a_check(), sentence, busy_transcript(), "pytest checks", columns=columns)
    rows = text.splitlines()
    assert len(rows) <= (15 if columns == 80 else 16)  # each block has a few rows
    assert max(map(len, rows)) <= columns
    assert rows[2:4] == (
        [sentence, "Hint: Why?"]
        if columns == 80
        else ["GET /models/12 answered 200; right is", "404."]
    )
    marked = [i for i, row in enumerate(rows) if row.startswith(" >> ")]
    assert [rows[i].endswith("-> GET /models/12") for i in marked] == [True]
    assert "<- 200 " in rows[marked[0] + 1]
    assert (" more above (all with -v)" in text) == (columns == 80)
    assert (" more below (all with -v)" in text) == (columns == 80)
    assert " more " in text
    assert "  (9 x the same)" in text
    assert "<html>" not in text


def test_a_whole_card_shows_all_of_it() -> None:
    text = card(a_check(), "It is wrong.", busy_transcript(), "pytest", is_whole=True)
    assert "with -v" not in text
    assert "/models/0\n" in text
    assert "/models/29\n" in text
    assert "(6000 bytes)" in text


def test_what_the_sentence_does_not_speak_of_takes_one_row() -> None:
    transcript = busy_transcript()
    transcript.raised = []
    transcript.lines = [Line(f"line {number}", Span(0)) for number in range(20)]
    sentence = f"GET /models/12 answered {'very much ' * 30}; right is 404."
    rows = card(a_check(), sentence, transcript, "pytest checks").splitlines()
    printed = rows[rows.index("What it printed:") + 1 :]
    assert printed[:2] == ["    ... 20 more (all with -v)", ""]
    assert any(row.endswith("-> GET /models/12") for row in rows)


@pytest.mark.parametrize("end", ["; right is 200, as for every flower.", ". None names petals."])
def test_of_a_long_sentence_the_middle_is_left_out(end: str) -> None:
    sentence = f"POST /predict/one answered 422 {'word ' * 100}{'[1,2]' * 50} without petals{end}"
    rows = card(a_check(), sentence, None, "pytest").split("\nHint:")[0].splitlines()[2:]
    assert max(map(len, rows)) <= 80
    assert rows[0].startswith("POST /predict/one answered 422 word")
    assert rows[3] == "... (the whole sentence with -v) ..."
    assert " ".join(rows[4:]).endswith(f" without petals{end}")
    assert len(rows) == 7
    whole = card(a_check(), sentence, None, "pytest", is_whole=True)
    assert "with -v" not in whole


@pytest.mark.parametrize(
    ("columns", "shown"),
    [
        (100, "tool.py:12: RuntimeWarning: coroutine 'slow_task' was never awaited"),
        (80, "tool.py:12: coroutine 'slow_task' was never awaited"),
        (60, "coroutine 'slow_task' was never awaited"),
    ],
)
def test_a_narrow_row_says_that_a_coroutine_was_never_awaited(columns: int, shown: str) -> None:
    transcript = Transcript(Path(), Path(), "exercises/task_0_1")
    warning = "tool.py:12: RuntimeWarning: coroutine 'slow_task' was never awaited"
    transcript.lines = [Line(f"exercises/task_0_1/{warning}", Span(0))]
    text = card(a_check(), "It took 0 s.", transcript, "pytest", columns=columns)
    assert f" >> 09:00:00    | {shown}\n" in text


def test_equal_requests_tell_when_each_was_answered() -> None:
    transcript = Transcript(Path(), Path(), "exercises/task_0_1")
    asked = [transcript.request(Span(0), "GET", "/wait", [], b"") for _ in range(3)]
    for record, at in zip(asked, (2, 2, 3), strict=True):
        transcript.answer(Span(at * 10**9), record, 200, [], b"1")
    text = card(a_check(), "GET /wait took 3 s.", transcript, "pytest")
    assert " >> 09:00:00     -> GET /wait  (3 x the same)\n" in text
    assert "    09:00:02     <- 200 1  at 2, 2, 3 s\n" in text


def test_checks_that_fail_by_the_same_have_a_cause_in_common() -> None:
    def causes(message: str, raised: str = "") -> frozenset[str]:
        transcript = Transcript(Path(), Path(), "exercises/task_0_1")
        if raised:
            frame = Frame("main.py", 3, "f", "f()")
            transcript.raised = [Raised(raised, "7", (frame,), "request", 0, Span(0))]
        error = AssertionError(message)
        return Verdict(check=a_check(), error=error, transcript=transcript).causes

    assert causes("It took 3 s.") & causes("It took 12.5 s.")
    assert not causes("It took 3 s.") & causes("It took long.")
    one = 'POST /logistic_regression with {"a": {"b": 1}} answered 200.'
    other = 'POST /random_forest with {"c": 2} answered 200.'
    assert causes(one) & causes(other)
    assert causes('Its lines are {"a": 1}.') & causes('Its lines are {"a": 2}, {"a": 3}.')
    assert causes("GET / answered 500.", "KeyError") & causes("GET /a answered 500.", "KeyError")
    assert not causes("GET / answered 500.", "KeyError") & causes("GET /a answered 500.", "E")
    # What was raised before something else went wrong is another matter.
    assert not causes("GET / took 2 s.", "KeyError") & causes("It is late.", "KeyError")
