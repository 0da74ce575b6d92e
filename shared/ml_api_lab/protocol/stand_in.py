"""Stand-ins for trained models: picklable, quick, and answering what nobody can know beforehand.

A pickle of a stand-in loads as a scikit-learn model's does, and answers as one: `predict` and
`predict_proba` take what scikit-learn takes, refuse what it refuses, and return numpy arrays. Where
scikit-learn is in use, a loaded stand-in is one of its classifiers.

It holds no answers. Its pickle has a token that was drawn for this one file, and :data:`oracle`,
which a host sets, asks the checks' side with it. So whoever has not read the file can claim no
load, and whoever wants an answer has asked for it. A process that runs beside nothing of the lab
has nobody to ask: its pickles hold a table of the flowers that it will be asked for, as the pickle
of any trained model holds what it knows.

This module imports only what Python brings: the checks' side takes the class from here to pickle
it, and has no numpy.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

CLASSES = 3
FEATURES = 4

FAILS = "fails now, to see what the program does"
"""What a model says when a check has it fail."""

_DECIMALS = 3
"""Features count to this many decimals, so that 32-bit floats are answered alike."""

_FORMAT = f"%.{_DECIMALS}f"


class Identity(NamedTuple):
    """What a loaded model is: its name, and how many seconds it takes for an answer."""

    model: str
    seconds: float


class Oracle(Protocol):
    """Who knows the answers."""

    def load(self, token: str) -> Identity | None:
        """Tell that the file with this token was loaded; return what it is, None if unknown."""

    def answer(self, token: str, rows: list[list[float]]) -> list[int] | None:
        """Return the class of each row, None if the model fails.

        Rows that cannot be answered (`rows` is empty, or not of `FEATURES` finite numbers) are
        asked for as well: also what a model refuses has reached it.
        """


oracle: Oracle | None = None
"""Who is asked in this process; None where only tables answer."""


def key(features: Sequence[float]) -> str:
    """Return the text that is the same for all features that are answered alike."""
    # Adding 0.0 turns -0.0 into 0.0.
    return " ".join([_FORMAT % (round(each, _DECIMALS) + 0.0) for each in features])


class Table:
    """An oracle of one model that knows some flowers; any other is of class 0."""

    def __init__(self, identity: Identity, answers: Mapping[str, int]) -> None:
        self._identity = identity
        self._answers = answers

    def load(self, token: str) -> Identity:
        return self._identity

    def answer(self, token: str, rows: list[list[float]]) -> list[int]:
        return [self._answers.get(key(row), 0) for row in rows]


class Pickled:
    """What the checks' side pickles in the place of a model; it loads as a :class:`StandIn`."""

    def __init__(self, *arguments: Any) -> None:
        """Take the arguments of :func:`load`."""
        self._arguments = arguments

    def __reduce__(self) -> tuple[Any, ...]:
        return load, self._arguments


def load(
    token: str, identity: Sequence[Any] = (), answers: Mapping[str, int] | None = None
) -> StandIn:
    """Return a stand-in, and tell that it was loaded: what its pickle calls.

    Args:
        identity, answers: the fields of its :class:`Identity` and its table, if it has one.

    Raises:
        RuntimeError: nobody knows that model.
    """
    # As a real model does; later it would be the first prediction that waits for it.
    import numpy  # noqa: F401

    asked = oracle if answers is None else Table(Identity(*identity), answers)
    known = None if asked is None else asked.load(token)
    if asked is None or known is None:
        raise RuntimeError("this model belongs to a check, and loads in no other process")
    arguments = (token,) if answers is None else (token, tuple(identity), answers)
    return _loaded_class()(asked, known, arguments)


def _loaded_class() -> type[StandIn]:
    """Return the class of a loaded stand-in: for who uses scikit-learn, one of its classifiers."""
    base = sys.modules.get("sklearn.base")
    if base is None:
        return StandIn
    return type("StandIn", (StandIn, base.ClassifierMixin, base.BaseEstimator), {})


class StandIn:
    """A classifier with scikit-learn's interface.

    Args:
        arguments: what :func:`load` takes to load it again, its token first.

    Attributes:
        n_features_in_: how many features it takes.
    """

    __slots__ = ("_arguments", "_identity", "_oracle")
    n_features_in_ = FEATURES

    def __init__(self, asked: Oracle, identity: Identity, arguments: tuple[Any, ...]) -> None:
        self._oracle = asked
        self._identity = identity
        self._arguments = arguments

    def __reduce__(self) -> tuple[Any, ...]:
        return load, self._arguments

    # A copy is not a load.
    def __copy__(self) -> StandIn:
        return self

    def __deepcopy__(self, memo: object) -> StandIn:
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return no parameters: nobody can say how it was trained."""
        return {}

    def fit(self, X: Any, y: Any) -> StandIn:  # noqa: N803
        """Refuse: what is loaded has been trained."""
        raise RuntimeError("a stand-in for a trained model cannot be trained")

    def __repr__(self) -> str:
        return f"<stand-in for the model {self._identity.model}>"

    @property
    def classes_(self) -> Any:
        import numpy

        return numpy.arange(CLASSES)

    def predict(self, X: Any) -> Any:  # noqa: N803 - as scikit-learn calls it
        """Return the class of each row."""
        import numpy

        return numpy.array(self._answers(X), dtype=numpy.int64)

    def predict_proba(self, X: Any) -> Any:  # noqa: N803
        """Return the probability of each class for each row; the predicted one's is the highest."""
        import numpy

        likely = numpy.full((CLASSES, CLASSES), 0.1)
        numpy.fill_diagonal(likely, 1 - 0.1 * (CLASSES - 1))
        return likely[self._answers(X)]

    def predict_log_proba(self, X: Any) -> Any:  # noqa: N803
        """Return the logarithm of each probability."""
        import numpy

        return numpy.log(self.predict_proba(X))

    def _answers(self, X: Any) -> list[int]:  # noqa: N803
        import numpy

        table = numpy.asarray(X)
        rows: list[list[float]] = []
        if table.ndim == 2 and table.dtype.kind not in "USV":
            table = table.astype(float)
            rows = table.tolist()
        # Asked before it is judged: also what it refuses has reached the model.
        answers = self._oracle.answer(self._arguments[0], rows)
        if self._identity.seconds:
            import time

            time.sleep(self._identity.seconds)
        if answers is None:
            raise RuntimeError(f"the model {self._identity.model} {FAILS}")
        if table.ndim != 2:
            raise ValueError(
                f"Expected 2D array, got {table.ndim}D array instead: a list of flowers, "
                "each a list of its features."
            )
        if table.dtype.kind in "USV":
            raise ValueError("The features must be numbers, not text.")
        if table.shape[1] != FEATURES:
            raise ValueError(
                f"X has {table.shape[1]} features, but this model is expecting {FEATURES} "
                "features as input."
            )
        if not len(table):
            raise ValueError("Found array with 0 sample(s) while a minimum of 1 is required.")
        if not numpy.isfinite(table).all():
            raise ValueError("Input X contains NaN or infinity.")
        return answers
