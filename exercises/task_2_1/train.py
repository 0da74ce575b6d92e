"""Task 2.1: train two models on the Iris data and save them.

Run as a script (`python train.py`), this file fits a `LogisticRegression` and a
`RandomForestClassifier` on all 150 flowers of the Iris data, and saves them in the working
directory as `logistic_regression.pkl` and `random_forest.pkl`, with pickle or joblib.

Imported, it trains and writes nothing.
"""


def main() -> None:
    raise NotImplementedError("Task 2.1: train both models and save them")


if __name__ == "__main__":
    main()
