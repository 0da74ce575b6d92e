"""Look into the pickles of two models and tell what they hold.

This program never runs in the checks' process: a check has it evaluated in a process of its own,
with the content of the files in its text (`PICKLES`, by the models' names, in base64; a file that
is missing is not among them), so that no process which the submission has left behind can get at
either. Nothing in a pickle gets to run here: only the classes that scikit-learn's models are made
of are loaded, so the report is the inspector's own. It follows that a pickle which needs a class of
the program that wrote it is refused, as it would be by any other program.
"""

import base64
import io
import json
import warnings
from typing import Any

OWN_CLASSES = {
    "logistic_regression": ("sklearn.linear_model", "LogisticRegression"),
    "random_forest": ("sklearn.ensemble", "RandomForestClassifier"),
}

# What models are rebuilt with beside their own classes, by any pickle protocol and by joblib.
_REBUILDING_NAMES = {
    "__builtin__": {"bytearray", "object", "set", "slice"},
    "_codecs": {"encode"},
    "builtins": {"bytearray", "frozenset", "object", "set", "slice"},
    "collections": {"OrderedDict", "defaultdict"},
    "copy_reg": {"_reconstructor"},
    "copyreg": {"_reconstructor"},
    "joblib.numpy_pickle": {"NumpyArrayWrapper"},
}
_NUMPY_NAMES = {
    *("dtype", "ndarray", "_reconstruct", "_frombuffer", "scalar"),
    *("RandomState", "__randomstate_ctor", "__bit_generator_ctor", "MT19937", "PCG64"),
    *("MaskedArray", "_mareconstruct"),
}


PICKLES: dict[str, str] = {}


def inspect_all() -> dict[str, dict[str, object]]:
    """Return what is in each file."""
    warnings.simplefilter("ignore")
    return {
        name: inspect(base64.b64decode(PICKLES[name]), *own_class)
        if name in PICKLES
        else {"missing": True}
        for name, own_class in OWN_CLASSES.items()
    }


def inspect(content: bytes, module: str, own_class: str) -> dict[str, object]:
    """Return what is in a file."""
    import importlib

    try:
        model = load(content)
    except Exception as error:
        return {"problem": f"{type(error).__name__}: {error}"}
    wanted = getattr(importlib.import_module(module), own_class)
    has_own_class = isinstance(model, wanted)
    found: dict[str, object] = {"class": type(model).__name__, "has_own_class": has_own_class}
    from sklearn.base import BaseEstimator, is_classifier
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

    try:
        if not isinstance(model, BaseEstimator) or not is_classifier(model):
            return found
        check_is_fitted(model)
    except NotFittedError:
        return {**found, "is_fitted": False}
    return {**found, "is_fitted": True, **measure(model)}


def load(content: bytes) -> Any:
    """Return the object in the file; joblib reads both its own files and plain pickles."""
    import joblib
    from joblib import numpy_pickle

    def find_class(unpickler: object, module: str, name: str) -> object:
        found = original(unpickler, module, name) if module_is_known(module, name) else None
        if found is None or (module.startswith("sklearn.") and not isinstance(found, type)):
            raise ValueError(f"it needs {name} of the module {module}, which is not scikit-learn's")
        return found

    original = numpy_pickle.NumpyUnpickler.find_class
    numpy_pickle.NumpyUnpickler.find_class = find_class
    return joblib.load(io.BytesIO(content))


def module_is_known(module: str, name: str) -> bool:
    if not name.isidentifier():
        return False
    if module.split(".")[0] == "numpy":
        return name in _NUMPY_NAMES
    return module.startswith("sklearn.") or name in _REBUILDING_NAMES.get(module, ())


def measure(model: Any) -> dict[str, object]:
    """Return what a fitted model knows, and how well."""
    from sklearn.datasets import load_iris

    features, classes = load_iris(return_X_y=True)
    # A forest that was given a table of answers has a list of classes for each column.
    known = model.classes_
    found: dict[str, object] = {
        "settings": repr(model),
        "features": model.n_features_in_,
        "classes": [str(each) for each in known] if isinstance(known, list) else known.tolist(),
        "training_flowers": training_flowers(model),
        "class_count_error": class_count_error(model, features),
    }
    try:
        found["accuracy"] = accuracy(model, features, classes)
    except ValueError:
        # Another number of features.
        found["accuracy"] = 0.0
    return found


def accuracy(model: Any, features: Any, classes: Any) -> float:
    """Return the share of flowers that it recognises, of those whose class it knows.

    Where its classes are no numbers, they are taken for the three in their order.
    """
    import numpy as np

    known = np.asarray(model.classes_)
    if known.ndim != 1:
        return 0.0
    if known.dtype.kind not in "iuf" and len(known) == 3:
        classes = known[classes]
    asked = np.isin(classes, known)
    # The class's own: an attribute of the same name could have been saved with the model.
    predicted = type(model).predict(model, features[asked])
    return float((predicted == classes[asked]).mean()) if asked.any() else 0.0


def training_flowers(model: Any) -> int | None:
    """Return how many flowers a random forest was fitted on, None where it does not show."""
    from sklearn.ensemble import RandomForestClassifier

    if not isinstance(model, RandomForestClassifier) or model.max_samples or model.class_weight:
        return None
    # A bootstrap sample draws as many flowers as there were.
    return round(float(model.estimators_[0].tree_.weighted_n_node_samples[0]))


def class_count_error(model: Any, features: Any) -> float | None:
    """Return how far a regression is from counting 50 flowers of each class; None: cannot tell.

    Fitted with an intercept, its probabilities for the flowers that it was fitted on sum up to how
    many there were of each class: there the derivative of the loss is zero. It stops when that is
    within `tol` for each flower, 0.015 for all 150.
    """
    from sklearn.linear_model import LogisticRegression

    if type(model) is not LogisticRegression or model.classes_.tolist() != [0, 1, 2]:
        return None
    is_exact = model.solver in ("lbfgs", "newton-cg") and model.tol <= 1e-4
    has_converged = max(model.n_iter_) < model.max_iter and model.n_features_in_ == 4
    if not (is_exact and has_converged and model.fit_intercept and model.class_weight is None):
        return None
    return float(abs(model.predict_proba(features).sum(axis=0) - 50).max())


if __name__ == "__main__":
    report = json.dumps(inspect_all())
