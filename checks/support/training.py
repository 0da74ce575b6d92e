"""The trained models: what a training script wrote, and models of the checks' own."""

from __future__ import annotations

import hashlib
import json
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from checks.support.predictions import MODELS
from ml_api_lab.check import Line, Task

FILES = tuple(f"{name}.pkl" for name in MODELS)

_SCRIPTS = Path(__file__).resolve().parent / "scripts"

# Training takes real time. The same script has the same pickles looked into only once a run, and
# the models that checks serve are trained once; checks side by side wait for each other's.
_training = threading.Lock()
_inspected: dict[tuple[tuple[str, bytes], ...], tuple[list[Pickled], list[Line]]] = {}
_trained: dict[str, bytes] = {}


@dataclass(frozen=True)
class Pickled:
    """What one pickle holds, as `scripts/inspect_pickles.py` tells it."""

    file: str
    facts: dict[str, Any]

    @property
    def missing(self) -> bool:
        """Whether no such file was written."""
        return "missing" in self.facts

    def model(self) -> dict[str, Any]:
        """Return the facts; assert that it is a model of its own class."""
        kind = _kind(self.file)
        assert not self.missing, (
            f"Running train.py left no {self.file} in its folder; right are {' and '.join(FILES)}."
        )
        assert "problem" not in self.facts, (
            f"{self.file} cannot be loaded by another program ({self.facts.get('problem')}); "
            f"right is a pickle of a scikit-learn {kind}."
        )
        assert self.facts["own"], f"{self.file} holds a {self.facts['class']}; right is a {kind}."
        return self.facts

    def fitted(self) -> dict[str, Any]:
        """Return the facts; assert that it is a fitted model of its own class."""
        facts = self.model()
        assert facts["fitted"], (
            f"The {facts['class']} in {self.file} has not been fitted, so it cannot predict; "
            "right is to save it after its fit."
        )
        return facts


def clear(task: Task) -> None:
    """Remove the pickles that whoever trained by hand has left in the folder."""
    for file in FILES:
        task.files.remove(file)


async def train(task: Task) -> list[Pickled]:
    """Run the submission's train.py and look into what it wrote."""
    clear(task)
    key = tuple((name, _digest(task.files.path(name))) for name in task.files.names())
    with _training:
        if key in _inspected:
            task.transcript.lines.extend(_inspected[key][1])
        else:
            run = await task.run("train.py")
            _inspected[key] = await _inspect(task), run.lines
    return _inspected[key][0]


def _digest(file: Path) -> bytes:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "blake2b").digest()


async def _inspect(task: Task) -> list[Pickled]:
    folder = f"../inspection-{task.draw.getrandbits(64):016x}"
    script = (_SCRIPTS / "inspect_pickles.py").read_text(encoding="utf-8")
    task.files.write(f"{folder}/inspect_pickles.py", script)
    await task.run(f"{folder}/inspect_pickles.py")
    report = json.loads(task.files.path(f"{folder}/report.json").read_text(encoding="utf-8"))
    return [Pickled(f"{name}.pkl", report[name]) for name in MODELS]


async def place_trained(task: Task) -> None:
    """Lay models that scikit-learn has trained where the task expects its models."""
    with _training:
        if not _trained:
            # Under a name that no submission has.
            script = (_SCRIPTS / "train_models.py").read_text(encoding="utf-8")
            path = task.files.write("train_for_the_check.py", script)
            await task.run(path.name)
            path.unlink()
            _trained.update({file: task.files.data(file) for file in FILES})
            clear(task)
            task.clock.renew_budget()
    for file, content in _trained.items():
        task.files.write(f"../task_2_1/{file}", content)


def _kind(file: str) -> str:
    return {"logistic_regression.pkl": "LogisticRegression"}.get(file, "RandomForestClassifier")
