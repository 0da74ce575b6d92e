"""The models of a check: what their pickles give away, and what counts as a load and as a call."""

from __future__ import annotations

import os
import pickle
import random
from pathlib import Path
from typing import Any

import pytest

from ml_api_lab.errors import SubmissionFault
from ml_api_lab.lab_time import Span
from ml_api_lab.protocol import stand_in
from ml_api_lab.protocol.messages import AskModel, LoadModel, ModelAnswers, ModelLoaded
from ml_api_lab.protocol.stand_in import FAILS
from ml_api_lab.sandbox import submission
from ml_api_lab.sandbox.clock import Clock
from ml_api_lab.sandbox.files.workspace import Workspace
from ml_api_lab.sandbox.models import Call, Load, Models
from ml_api_lab.sandbox.runs import Run
from ml_api_lab.task import Task
from tests.support.toy import Scenes

NOW = Span(0)
FLOWER = [5.1, 3.5, 1.4, 0.2]


@pytest.fixture
def models(tmp_path: Path) -> Models:
    folder = tmp_path / "task_9_9"
    folder.mkdir()
    return Models(Workspace(folder, "task_9_9", "task_9_9"), "../task_2_1", random.Random(3))


def token_in(path: Path) -> str:
    found: list[Any] = []

    class Reader(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> Any:
            return lambda *arguments: found.append(arguments)

    with path.open("rb") as file:
        Reader(file).load()
    return str(found[0][0])


def test_a_pickle_holds_no_answer_and_no_seed(models: Models) -> None:
    first = models.place_as("one.pkl", "random_forest").read_bytes()
    second = models.place_as("two.pkl", "random_forest").read_bytes()
    assert models._seed.encode() not in first + second
    assert first != second, "each file has a token of its own"
    assert b"random_forest" not in first


def test_who_has_not_read_the_file_can_claim_nothing(models: Models) -> None:
    path = models.place_as("one.pkl", "random_forest")
    guess = "0" * 32
    assert models.reply(NOW, LoadModel(1, guess)) == ModelLoaded(1, None, 0)
    assert models.reply(NOW, AskModel(2, guess, [FLOWER])) == ModelAnswers(2, None)
    # Nor is a call without a load before it one.
    assert models.reply(NOW, AskModel(3, token_in(path), [FLOWER])) == ModelAnswers(3, None)
    assert (models.loads, models.calls) == ([], [])


def test_an_answer_is_a_call(models: Models) -> None:
    token = token_in(models.place_as("one.pkl", "random_forest"))
    assert models.reply(NOW, LoadModel(1, token)) == ModelLoaded(1, "random_forest", 0)
    right = models.answer("random_forest", FLOWER)
    assert models.reply(NOW, AskModel(2, token, [FLOWER])) == ModelAnswers(2, [right])
    assert models.reply(NOW, AskModel(3, token, [[1, 2]])) == ModelAnswers(3, [])
    assert models.reply(NOW, AskModel(4, token, [[float("nan")] * 4])) == ModelAnswers(4, [])
    models.fail("random_forest")
    assert models.reply(NOW, AskModel(5, token, [FLOWER])) == ModelAnswers(5, None)
    assert models.loads == [Load(NOW, "random_forest")]
    assert len(models.calls) == 4
    assert models.calls[0] == Call(NOW, "random_forest", [FLOWER])


def test_a_table_knows_what_was_drawn(models: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    path = models.place_as("one.pkl", "random_forest")
    flowers = models.features_of_each_class("random_forest")
    models.write_tables()
    monkeypatch.setattr(stand_in, "oracle", None)
    loaded = pickle.loads(path.read_bytes())
    assert loaded.predict(flowers).tolist() == [0, 1, 2]
    assert loaded.predict([[9.99, 9.99, 9.99, 9.99]]).tolist() == [0]
    assert repr(loaded) == "<stand-in for the model random_forest>"
    assert repr(pickle.loads(pickle.dumps(loaded))) == repr(loaded)


def test_nobody_else_can_load_one(models: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stand_in, "oracle", None)
    content = models.place_as("one.pkl", "random_forest").read_bytes()
    with pytest.raises(RuntimeError, match="belongs to a check"):
        pickle.loads(content)


def run(scenes: Scenes, source: str, flower: list[float]) -> tuple[Run, Models, int]:
    async def scene(task: Task, clock: Clock) -> tuple[Run, Models, int]:
        models = Models(task.files, "../task_2_1", task.draw)
        task._models = models
        models.place("models")
        models.place_as("models/failing.pkl", "failing")
        models.fail("failing")
        ended = await task.run("main.py", may_fail=True)
        return ended, models, models.answer("random_forest", flower)

    return scenes.play(source, scene)


LOADED = """
import os, pickle, threading, time
model = pickle.load(open("models/random_forest.pkl", "rb"))
"""


def test_a_submission_asks_over_the_link(scripts: Scenes) -> None:
    ask = f"model.predict([{FLOWER}])[0], model.predict([{FLOWER}] * 3)"
    source = LOADED + f"time.sleep(2)\nprint({ask})\n"
    ended, models, right = run(scripts, source, FLOWER)
    assert ended.output == f"{right} [{right} {right} {right}]"
    assert [(int(each.at), each.model) for each in models.loads] == [(0, "random_forest")]
    assert [(int(each.at), len(each.rows)) for each in models.calls] == [
        (2 * 10**9, 1),
        (2 * 10**9, 3),
    ]


def test_threads_ask_side_by_side(scripts: Scenes) -> None:
    source = LOADED + (
        "def ask():\n"
        f"    time.sleep(1); print(model.predict([{FLOWER}])[0])\n"
        "for _ in range(20): threading.Thread(target=ask).start()\n"
    )
    ended, models, right = run(scripts, source, FLOWER)
    assert ended.output.split() == [str(right)] * 20
    assert {int(each.at) for each in models.calls} == {10**9}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows knows no forks")
def test_forked_processes_ask_through_their_parent(scripts: Scenes) -> None:
    source = LOADED + (
        "for _ in range(3):\n"
        "    if os.fork() == 0:\n"
        f"        print(model.predict([{FLOWER}])[0], flush=True)\n"
        "        os._exit(0)\n"
        "    os.wait()\n"
    )
    ended, models, right = run(scripts, source, FLOWER)
    assert ended.output.split() == [str(right)] * 3
    assert len(models.calls) == 3


def test_a_failing_model_raises(scripts: Scenes) -> None:
    source = (
        "import pickle\n"
        "model = pickle.load(open('models/failing.pkl', 'rb'))\n"
        "print(model)\n"
        f"model.predict([{FLOWER}])\n"
    )
    ended, models, _ = run(scripts, source, FLOWER)
    assert ended.error == f"RuntimeError: the model failing {FAILS}"
    assert len(models.calls) == 1


def test_what_speaks_on_the_link_itself_is_counted_as_it_asks(scripts: Scenes) -> None:
    """The module is the submission's to change; what it does not ask for, it does not know."""
    source = LOADED + (
        "from ml_api_lab.protocol import stand_in\n"
        "class Silent:\n"
        "    def load(self, token): return stand_in.Identity('random_forest', 0)\n"
        "    def answer(self, token, rows): return [0 for _ in rows]\n"
        "asked = stand_in.oracle\n"
        "stand_in.oracle = Silent()\n"
        "forged = pickle.load(open('models/logistic_regression.pkl', 'rb'))\n"
        f"forged.predict([{FLOWER}])\n"
        f"asked.answer('0' * 32, [{FLOWER}])\n"
    )
    _, models, _ = run(scripts, source, FLOWER)
    assert [each.model for each in models.loads] == ["random_forest"]
    assert models.calls == []


def test_who_asks_without_end_is_ended(apps: Scenes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(submission, "_MAX_QUESTIONS", 100)
    source = LOADED + (
        f"from fastapi import FastAPI\napp = FastAPI()\nwhile True: model.predict([{FLOWER}])\n"
    )

    async def scene(task: Task, clock: Clock) -> str:
        task._models = Models(task.files, "../task_2_1", task.draw)
        task.models.place("models")
        try:
            async with task.serve():
                return ""
        except SubmissionFault as error:
            return str(error)

    assert apps.play(source, scene) == (
        "Importing or starting main.py asked its models more than 100 times."
    )
