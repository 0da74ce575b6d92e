"""The models of a check: stand-ins laid out as pickles, their journal, and draws that show them.

A check sees through them whether a submission loads each model once and when, which model it
asked, with which features in which order, and that it did not ask at all.
"""

from __future__ import annotations

import itertools
import pickle
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ml_api_lab.lab_time import Span, seconds
from ml_api_lab.protocol.messages import Journal, Tell
from ml_api_lab.protocol.stand_in import CLASSES, FEATURES, JournalEvent, StandIn, answer
from ml_api_lab.sandbox.submission import Submission
from ml_api_lab.sandbox.workspace import Workspace

NAMES = ("logistic_regression", "random_forest")


@dataclass(frozen=True)
class Load:
    """A model was loaded."""

    at: Span
    model: str


@dataclass(frozen=True)
class Call:
    """A model was asked; its rows are empty if they were no table of numbers."""

    at: Span
    model: str
    rows: list[list[float]]


class Models:
    """The stand-in models of one check; how they answer: :mod:`ml_api_lab.protocol.stand_in`.

    Args:
        files: the workspace beside which they lie.
        folder: where they lie, relative to the workspace.
        draw: makes the answers, and the features to ask for.
        submissions: the submissions of this check, as they come.
    """

    def __init__(
        self,
        files: Workspace,
        folder: str,
        draw: random.Random,
        submissions: list[Submission],
    ) -> None:
        self._files = files
        self._folder = folder
        self._draw = draw
        self._submissions = submissions
        self._seed = f"{draw.getrandbits(64):016x}"
        self._failing: list[str] = []

    # --- the pickles ------------------------------------------------------------------------------

    def place(self, folder: str | None = None, *names: str) -> None:
        """Write the pickles (all, or those of the names given) into a folder.

        Args:
            folder: relative to the workspace; by default, where this task expects them.
        """
        for name in names or NAMES:
            self.place_as(f"{folder or self._folder}/{name}.pkl", name)

    def place_as(self, path: str, name: str) -> Path:
        """Write one pickle to that path, relative to the workspace.

        A name of the check's own choosing tells in `loads` which of several files was read.
        """
        # The oldest protocol that every supported Python writes by default can be read by all.
        return self._files.write(path, pickle.dumps(StandIn(name, self._seed), protocol=4))

    def slow(self, name: str, takes: Span) -> None:
        """Write the pickle of a model that needs that long for an answer, blocking its thread."""
        slow = StandIn(name, self._seed, takes / seconds(1))
        self._files.write(f"{self._folder}/{name}.pkl", pickle.dumps(slow, protocol=4))

    def remove(self, name: str) -> None:
        """Remove a pickle from where this task expects it."""
        self._files.remove(f"{self._folder}/{name}.pkl")

    # --- what became of them ----------------------------------------------------------------------

    @property
    def loads(self) -> list[Load]:
        """The models that have been loaded so far, in order."""
        return [Load(at, each.model) for at, each in self._journal("load")]

    @property
    def calls(self) -> list[Call]:
        """The calls of models so far, in order."""
        return [Call(at, each.model, each.rows) for at, each in self._journal("predict")]

    def fail(self, name: str) -> None:
        """Let calls of that model raise from now on."""
        self._failing.append(name)
        self._broadcast(Tell(name, True))

    def recover(self, name: str) -> None:
        """Let a model that fails answer again from now on."""
        self._failing.remove(name)
        self._broadcast(Tell(name, False))

    def configure(self, submission: Submission) -> None:
        """Tell a submission that has just begun which models fail."""
        for name in self._failing:
            submission.send(Tell(name, True))

    def _broadcast(self, message: Tell) -> None:
        for submission in self._submissions:
            if not submission.done.done():
                submission.send(message)

    def _journal(self, event: JournalEvent) -> Iterator[tuple[Span, Journal]]:
        for submission in self._submissions:
            for at, entry in submission.journal:
                if entry.event == event:
                    yield at, entry

    # --- what to ask, and what is right -----------------------------------------------------------

    def answer(self, name: str, features: list[float]) -> int:
        """Return what the model of that name answers."""
        return answer(name, self._seed, features)

    def features(self, **answers: int) -> list[float]:
        """Draw the features of a flower, four different numbers from 0.1 to 9.9.

        Args:
            answers: what models shall answer: `features(random_forest=0)`.
        """
        return self._search(
            lambda drawn: all(self.answer(name, drawn) == right for name, right in answers.items())
        )

    def features_of_each_class(self, name: str) -> list[list[float]]:
        """Draw a flower for each class that the model can answer, 0 first."""
        return [self.features(**{name: each}) for each in range(CLASSES)]

    def features_where_models_differ(self) -> list[float]:
        """Draw features for which the two models answer differently."""
        return self._search(lambda drawn: len({self.answer(name, drawn) for name in NAMES}) > 1)

    def features_that_show_their_order(self, name: str) -> list[list[float]]:
        """Draw some flowers such that every wrong order of the features changes an answer."""
        wrong = list(itertools.permutations(range(FEATURES)))[1:]
        flowers = []
        while wrong:
            drawn = self.features()
            right = self.answer(name, drawn)
            hidden = [
                order for order in wrong if self.answer(name, [drawn[i] for i in order]) == right
            ]
            if len(hidden) < len(wrong):
                flowers.append(drawn)
                wrong = hidden
        return flowers

    def _search(self, fits: Callable[[list[float]], bool]) -> list[float]:
        while True:
            drawn = [each / 10 for each in self._draw.sample(range(1, 100), FEATURES)]
            if fits(drawn):
                return drawn
