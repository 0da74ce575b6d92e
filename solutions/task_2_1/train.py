"""Task 2.1: train two models on the Iris data and save them.

Run as a script (`python train.py`), this file fits a `LogisticRegression` and a
`RandomForestClassifier` on all 150 flowers of the Iris data, and saves them in the working
directory as `logistic_regression.pkl` and `random_forest.pkl`, with pickle or joblib.

Imported, it trains and writes nothing.
"""

import pickle
from pathlib import Path

from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression


def main() -> None:
    features, classes = load_iris(return_X_y=True)
    models = {
        # The default of 100 steps ends with a warning that it has not converged.
        "logistic_regression": LogisticRegression(max_iter=1000),
        "random_forest": RandomForestClassifier(random_state=0),
    }
    for name, model in models.items():
        model.fit(features, classes)
        Path(f"{name}.pkl").write_bytes(pickle.dumps(model))


if __name__ == "__main__":
    main()
