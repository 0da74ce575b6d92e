"""Stand-ins for trained models: picklable, quick, and answering what nobody can know beforehand.

A pickle of a :class:`StandIn` loads as a scikit-learn model's does, and answers as one: `predict`
and `predict_proba` take what scikit-learn takes, refuse what it refuses, and return numpy arrays.
Where scikit-learn is in use, a loaded stand-in is one of its classifiers. Which class it answers is
decided by the seed, the model's name and the features alone, so that no answer can be written into
a program, the two models differ, and exchanging features shows.

Inside a host, loads and calls are journaled to the checks' side; in a process of its own a
stand-in just works. This module imports only what Python brings: the checks' side takes the class
from here to pickle it, and has no numpy.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Sequence
from typing import Any, Literal

JournalEvent = Literal["load", "predict"]
"""What happens to a model: it is loaded, or asked."""

CLASSES = 3
FEATURES = 4

FAILS = "fails now, to see what the program does"
"""What a model says when a check has it fail."""

_DECIMALS = 3
"""Features count to this many decimals, so that 32-bit floats are answered alike."""


def _nowhere(event: JournalEvent, model: str, rows: list[list[float]]) -> None:
    pass


journal: Callable[[JournalEvent, str, list[list[float]]], None] = _nowhere
"""Where loads and calls are told: what happened, the model, its rows."""

failing: set[str] = set()
"""The models whose calls fail."""


def answer(model: str, seed: str, features: Sequence[float]) -> int:
    """Return the class that the model of that name answers for one flower."""
    # Adding 0.0 turns -0.0 into 0.0.
    numbers = " ".join(f"{round(each, _DECIMALS) + 0.0:.{_DECIMALS}f}" for each in features)
    digest = hashlib.blake2b(f"{seed} {model} {numbers}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % CLASSES


def load(model: str, seed: str, seconds: float = 0) -> StandIn:
    """Return a stand-in, and journal that it was loaded: what its pickle calls."""
    # As a real model does; later it would be the first prediction that waits for it.
    import numpy  # noqa: F401

    journal("load", model, [])
    return _loaded_class()(model, seed, seconds)


def _loaded_class() -> type[StandIn]:
    """Return the class of a loaded stand-in: for who uses scikit-learn, one of its classifiers."""
    base = sys.modules.get("sklearn.base")
    if base is None:
        return StandIn
    return type("StandIn", (StandIn, base.ClassifierMixin, base.BaseEstimator), {})


class StandIn:
    """A classifier with scikit-learn's interface.

    Args:
        seconds: how long it takes for an answer.

    Attributes:
        n_features_in_: how many features it takes.
    """

    __slots__ = ("_model", "_seconds", "_seed")
    n_features_in_ = FEATURES

    def __init__(self, model: str, seed: str, seconds: float = 0) -> None:
        self._model = model
        self._seed = seed
        self._seconds = seconds

    def __reduce__(self) -> tuple[Any, ...]:
        return load, (self._model, self._seed, self._seconds)

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
        return f"<stand-in for the model {self._model}>"

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
        if table.ndim == 2 and table.dtype.kind not in "USV":
            table = table.astype(float)
            # Journaled before it is judged: also what it refuses has reached the model.
            journal("predict", self._model, table.tolist())
        else:
            journal("predict", self._model, [])
        if self._seconds:
            import time

            time.sleep(self._seconds)
        if self._model in failing:
            raise RuntimeError(f"the model {self._model} {FAILS}")
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
        return [answer(self._model, self._seed, row) for row in table.tolist()]
