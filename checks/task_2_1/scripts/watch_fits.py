"""Run train.py as a script, and print what each model is fitted on: a line of JSON for each fit.

This program runs in the workspace, with the submission: its lines tell why a check has failed, and
never whether it has.
"""

import functools
import json
import os
import runpy
from typing import Any

from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

MARK = ""


def watch(model_class: Any) -> None:
    fit = model_class.fit

    @functools.wraps(fit)
    def watched(self: Any, *arguments: Any, **options: Any) -> Any:
        features = arguments[0] if arguments else options.get("X")
        print(MARK + json.dumps(told(model_class.__name__, features)), flush=True)
        return fit(self, *arguments, **options)

    model_class.fit = watched


def told(model_class: str, features: Any) -> dict[str, object]:
    """Return what is told of one fit."""
    import numpy as np

    rows = rounded(np.asarray(features, dtype=float))
    return {
        "model_class": model_class,
        "flowers": len(rows),
        "first": rows[0] if rows else [],
        "are_as_given": set(map(tuple, rows)) <= set(map(tuple, rounded(load_iris().data))),
        "saved": sorted(name for name in os.listdir() if name.endswith(".pkl")),
    }


def rounded(table: Any) -> list[list[float]]:
    return [[round(each, 2) for each in row] for row in table.tolist()]


for each in (LogisticRegression, RandomForestClassifier):
    watch(each)
runpy.run_path("train.py", run_name="__main__")
