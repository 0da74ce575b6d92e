"""Train two models on the Iris data, for a check to serve.

A check has this program evaluated in a process of its own. It stands here, and not among the
solutions, because a course is graded without them.
"""

import base64
import json
import pickle

from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

FEATURES, CLASSES = load_iris(return_X_y=True)
MODELS = {
    "logistic_regression": LogisticRegression(max_iter=1000),
    "random_forest": RandomForestClassifier(random_state=0),
}

if __name__ == "__main__":
    pickles = {name: pickle.dumps(model.fit(FEATURES, CLASSES)) for name, model in MODELS.items()}
    report = json.dumps({name: base64.b64encode(each).decode() for name, each in pickles.items()})
