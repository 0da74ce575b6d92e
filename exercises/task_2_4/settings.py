"""The settings: what the environment says, and `.env` where the environment says nothing."""

import os

# TODO: Task 2.4: take the file `.env` into the environment, before anything is read from it.


def required(name: str) -> str:
    """Return the value of a variable; raise an error that names it if it is unset or empty."""
    raise NotImplementedError("Task 2.4: read the variable, and raise if it has no value")


HOST = os.environ.get("HOST", "127.0.0.1")
PORT = int(os.environ.get("PORT", "8000"))
# TODO: Task 2.4: MODEL_FILES as in task 2.3, with the paths of LOGISTIC_MODEL and RF_MODEL.
