"""What a training script wrote: running it, and looking into its pickles."""

from __future__ import annotations

import base64
import json
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from checks.support.predictions import MODELS
from ml_api_lab.check import Hinted, Line, State, Task

IRIS_FLOWERS = 150

FILES = tuple(f"{name}.pkl" for name in MODELS)

_RIGHT_CLASSES = ("LogisticRegression", "RandomForestClassifier")

_MAX_PICKLE_BYTES = 4 * 2**20
"""How large a pickle may be: models of the Iris data have a few hundred kilobytes."""

_SCRIPT = Path(__file__).resolve().parent / "scripts" / "inspect_pickles.py"

# Training takes real time. The same script has the same pickles looked into only once a run; checks
# side by side wait for each other's.
_training = threading.Lock()
_inspected: dict[State, tuple[list[PickleReport], list[Line]]] = {}


@dataclass(frozen=True)
class PickleReport:
    """What one pickle holds, as `scripts/inspect_pickles.py` reports it.

    Attributes:
        file: the name that it should have.
        found: where it was found, with another ending or in another folder perhaps; None if
            there is nothing like it.
    """

    file: str
    found: str | None
    facts: dict[str, Any]

    @property
    def is_missing(self) -> bool:
        """Whether no such file was written, one of that very name."""
        return self.found != self.file

    @property
    def is_fitted(self) -> bool:
        """Whether it holds a fitted model, of whichever class."""
        return bool(self.facts.get("is_fitted"))

    def expect_classifier(self) -> None:
        """Assert that it is a model, of whichever class."""
        assert self.found is not None, (
            f"Running train.py left no {self.file} in its folder; right are {' and '.join(FILES)}."
        )
        if "problem" in self.facts:
            problem = self.facts["problem"]
            raise Hinted(
                f"{self.found} cannot be loaded by another program ({problem}); "
                f"right is a pickle of a scikit-learn {self.right_class}.",
                _problem_hint(problem),
            )
        if "is_fitted" not in self.facts:
            raise Hinted(
                f"{self.found} holds a {self.facts['class']}; right is a {self.right_class}.",
                "Which variable do you save: the model itself, or something that tells of it?",
            )

    def expect_own_class(self) -> None:
        """Assert that it is a model of its own class."""
        self.expect_classifier()
        if not self.facts["has_own_class"]:
            held = self.facts["class"]
            sentence = f"{self.found} holds a {held}; right is a {self.right_class}."
            if held in _RIGHT_CLASSES:
                raise AssertionError(sentence)
            raise Hinted(sentence, f"Where in a {held} is the plain {self.right_class}?")

    @property
    def right_class(self) -> str:
        """The class of model that it should hold."""
        return _RIGHT_CLASSES[FILES.index(self.file)]


def classifiers(reports: list[PickleReport]) -> list[PickleReport]:
    """Return the pickles that hold a model, fitted or not; assert that there is one.

    That both do, and of which class, is one check's question.
    """
    found = [report for report in reports if "is_fitted" in report.facts]
    if not found:
        reports[0].expect_classifier()
    return found


def fitted(reports: list[PickleReport]) -> list[PickleReport]:
    """Return those of these pickles that hold a fitted model, of whichever class."""
    return [report for report in reports if report.is_fitted]


def _problem_hint(problem: str) -> str:
    """Return what to look at in a file that cannot be loaded."""
    if "of the module __main__" in problem:
        return (
            "A pickle names the class of its object. Which programs have the class that is named?"
        )
    if "it needs" in problem:
        return "A pickle names what is called when it is loaded. What of yours names that?"
    return "Who has written this file: pickle.dump or joblib.dump, or a write of your own?"


def remove_pickles(task: Task) -> None:
    """Remove the pickles that whoever trained by hand has left in the folder."""
    for file in FILES:
        task.files.remove(file)


async def train_and_inspect(task: Task) -> list[PickleReport]:
    """Run the submission's train.py and look into what it wrote."""
    remove_pickles(task)
    before, key = set(task.files.names()), task.files.state()
    with _training:
        if key in _inspected:
            task.transcript.lines.extend(_inspected[key][1])
        else:
            run = await task.run("train.py")
            _inspected[key] = await _inspect(task, before), run.lines
    return _inspected[key][0]


async def _inspect(task: Task, before: set[str]) -> list[PickleReport]:
    found = {name: _written_as(task, name, before) for name in MODELS}
    contents = {
        name: base64.b64encode(task.files.data(file, _MAX_PICKLE_BYTES)).decode()
        for name, file in found.items()
        if file is not None
    }
    given = f"PICKLES: dict[str, str] = {contents!r}\n"
    source = _SCRIPT.read_text(encoding="utf-8").replace("PICKLES: dict[str, str] = {}\n", given)
    report = json.loads(await task.evaluate(source, _SCRIPT.name))
    return [PickleReport(f"{name}.pkl", found[name], report[name]) for name in MODELS]


def _written_as(task: Task, name: str, before: set[str]) -> str | None:
    """Return the file that was written for a model, the one of the right name if it is there."""
    if task.files.exists(f"{name}.pkl"):
        return f"{name}.pkl"
    written = sorted(set(task.files.names()) - before)
    return next((file for file in written if name in file.rpartition("/")[2].lower()), None)
