"""The models of a check: stand-ins laid out as pickles, who asked them what, and fitting draws.

A check sees through them whether a submission loads each model once and when, which model it
asked, with which features in which order, and that it did not ask at all.
"""

from __future__ import annotations

import hashlib
import itertools
import math
import pickle
import random
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ml_api_lab.lab_time import Span, seconds
from ml_api_lab.protocol.messages import AskModel, LoadModel, ModelAnswers, ModelLoaded
from ml_api_lab.protocol.stand_in import CLASSES, FEATURES, Pickled, key
from ml_api_lab.sandbox.files.workspace import Workspace

NAMES = ("logistic_regression", "random_forest")


# The oldest protocol that every supported Python writes by default can be read by all.
_PICKLE_PROTOCOL = 4

_OTHER_FLOWERS = 50
"""How many flowers the table of a model knows besides those that the check may ask for."""


Reply = Callable[[Span, LoadModel | AskModel], ModelLoaded | ModelAnswers]
"""Answers for the models that a submission loads or asks, at that moment."""


def answer(model: str, seed: str, features: Sequence[float]) -> int:
    """Return the class that the model of that name answers for one flower.

    The seed, the model's name and the features alone decide: so no answer can be written into a
    program, the two models differ, and exchanging features shows.
    """
    digest = hashlib.blake2b(f"{seed} {model} {key(features)}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % CLASSES


def no_answer(question: LoadModel | AskModel) -> ModelLoaded | ModelAnswers:
    """Return the reply to a question about a model that there is not."""
    if isinstance(question, LoadModel):
        return ModelLoaded(question.number, None, 0)
    return ModelAnswers(question.number, None)


@dataclass(frozen=True)
class _Placed:
    """A pickle that was laid out: where, of which model, how slow, and its token."""

    path: str
    model: str
    seconds: float
    token: str


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

    Attributes:
        loads: the models that have been loaded so far, in order.
        calls: the calls of models so far, in order.
    """

    def __init__(
        self,
        files: Workspace,
        folder: str,
        draw: random.Random,
    ) -> None:
        self._files = files
        self._folder = folder
        self._draw = draw
        self.loads: list[Load] = []
        self.calls: list[Call] = []
        self._seed = f"{draw.getrandbits(64):016x}"
        self._failing: list[str] = []
        self._placed: dict[str, _Placed] = {}
        self._loaded: set[str] = set()
        self._drawn: list[list[float]] = []

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
        return self._place(path, name, 0.0)

    def slow(self, name: str, takes: Span) -> None:
        """Write the pickle of a model that needs that long for an answer, blocking its thread."""
        self._place(f"{self._folder}/{name}.pkl", name, takes / seconds(1))

    def remove(self, name: str) -> None:
        """Remove a pickle from where this task expects it."""
        path = f"{self._folder}/{name}.pkl"
        self._files.remove(path)
        self._forget(path)

    def write_tables(self) -> None:
        """Let the pickles laid out so far answer by themselves: for processes with no link.

        They know the flowers that have been drawn, and others; what else they are asked for is of
        class 0.
        """
        others = random.Random(self._seed)
        flowers = [*self._drawn, *(_draw_features(others) for _ in range(_OTHER_FLOWERS))]
        others.shuffle(flowers)
        for placed in self._placed.values():
            table = {key(each): self.answer(placed.model, each) for each in flowers}
            identity = placed.model, placed.seconds
            self._write(placed.path, Pickled(placed.token, identity, table))

    def _place(self, path: str, name: str, takes: float) -> Path:
        self._forget(path)
        # Not of the check's draws: what is drawn for a check is the same with a seed.
        token = secrets.token_hex(16)
        self._placed[token] = _Placed(path, name, takes, token)
        return self._write(path, Pickled(token))

    def _forget(self, path: str) -> None:
        """Forget the tokens of a file that is written anew or gone, unless it was loaded."""
        for token, placed in list(self._placed.items()):
            if placed.path == path and token not in self._loaded:
                del self._placed[token]

    def _write(self, path: str, pickled: Pickled) -> Path:
        return self._files.write(path, pickle.dumps(pickled, protocol=_PICKLE_PROTOCOL))

    # --- what became of them ----------------------------------------------------------------------

    def reply(self, now: Span, question: LoadModel | AskModel) -> ModelLoaded | ModelAnswers:
        """Answer a submission that loads or asks a model at that moment.

        A load counts by the token that only the file has, a call by the load before it.
        """
        placed = self._placed.get(question.token)
        if placed is None:
            return no_answer(question)
        if isinstance(question, LoadModel):
            self.loads.append(Load(now, placed.model))
            self._loaded.add(placed.token)
            return ModelLoaded(question.number, placed.model, placed.seconds)
        if placed.token not in self._loaded:
            return no_answer(question)
        self.calls.append(Call(now, placed.model, question.rows))
        if placed.model in self._failing:
            return ModelAnswers(question.number, None)
        if not all(len(row) == FEATURES and all(map(math.isfinite, row)) for row in question.rows):
            return ModelAnswers(question.number, [])
        return ModelAnswers(
            question.number, [self.answer(placed.model, row) for row in question.rows]
        )

    def fail(self, name: str) -> None:
        """Let calls of that model raise from now on."""
        self._failing.append(name)

    def recover(self, name: str) -> None:
        """Let a model that fails answer again from now on."""
        self._failing.remove(name)

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
            drawn = _draw_features(self._draw)
            if fits(drawn):
                self._drawn.append(drawn)
                return drawn


def _draw_features(draw: random.Random) -> list[float]:
    return [each / 10 for each in draw.sample(range(1, 100), FEATURES)]
