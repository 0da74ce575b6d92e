"""What a training script wrote: running it, and looking into its pickles."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from checks.support.predictions import MODELS
from ml_api_lab.check import Line, Task

FILES = tuple(f"{name}.pkl" for name in MODELS)

_MAX_PICKLE_BYTES = 4 * 2**20
"""How large a pickle may be: models of the Iris data have a few hundred kilobytes."""

_PIECE_BYTES = 2**20

_SCRIPT = Path(__file__).resolve().parent / "scripts" / "inspect_pickles.py"

# Training takes real time. The same script has the same pickles looked into only once a run; checks
# side by side wait for each other's.
_training = threading.Lock()
_inspected: dict[tuple[tuple[str, bytes], ...], tuple[list[PickleReport], list[Line]]] = {}


@dataclass(frozen=True)
class PickleReport:
    """What one pickle holds, as `scripts/inspect_pickles.py` reports it."""

    file: str
    facts: dict[str, Any]

    @property
    def is_missing(self) -> bool:
        """Whether no such file was written."""
        return "missing" in self.facts

    def expect_model(self) -> dict[str, Any]:
        """Return the facts; assert that it is a model of its own class."""
        right = _class_name(self.file)
        assert not self.is_missing, (
            f"Running train.py left no {self.file} in its folder; right are {' and '.join(FILES)}."
        )
        assert "problem" not in self.facts, (
            f"{self.file} cannot be loaded by another program ({self.facts.get('problem')}); "
            f"right is a pickle of a scikit-learn {right}."
        )
        assert self.facts["has_own_class"], (
            f"{self.file} holds a {self.facts['class']}; right is a {right}."
        )
        return self.facts

    def expect_fitted(self) -> dict[str, Any]:
        """Return the facts; assert that it is a fitted model of its own class."""
        facts = self.expect_model()
        assert facts["is_fitted"], (
            f"The {facts['class']} in {self.file} has not been fitted, so it cannot predict; "
            "right is to save it after its fit."
        )
        return facts


def remove_pickles(task: Task) -> None:
    """Remove the pickles that whoever trained by hand has left in the folder."""
    for file in FILES:
        task.files.remove(file)


async def train_and_inspect(task: Task) -> list[PickleReport]:
    """Run the submission's train.py and look into what it wrote."""
    remove_pickles(task)
    key = tuple((name, _digest(task, name)) for name in task.files.names())
    with _training:
        if key in _inspected:
            task.transcript.lines.extend(_inspected[key][1])
        else:
            run = await task.run("train.py")
            _inspected[key] = await _inspect(task), run.lines
    return _inspected[key][0]


def _digest(task: Task, name: str) -> bytes:
    digest = hashlib.blake2b()
    with task.files.open(name) as content:
        while piece := content.read(_PIECE_BYTES):
            digest.update(piece)
    return digest.digest()


async def _inspect(task: Task) -> list[PickleReport]:
    contents = {
        name: base64.b64encode(task.files.data(f"{name}.pkl", _MAX_PICKLE_BYTES)).decode()
        for name in MODELS
        if task.files.exists(f"{name}.pkl")
    }
    given = f"PICKLES: dict[str, str] = {contents!r}\n"
    source = _SCRIPT.read_text(encoding="utf-8").replace("PICKLES: dict[str, str] = {}\n", given)
    report = json.loads(await task.evaluate(source, _SCRIPT.name))
    return [PickleReport(f"{name}.pkl", report[name]) for name in MODELS]


def _class_name(file: str) -> str:
    return {"logistic_regression.pkl": "LogisticRegression"}.get(file, "RandomForestClassifier")
