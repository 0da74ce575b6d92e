"""Task 2.2: load both models when the application starts.

A lifespan reads the two pickles of task 2.1 when the application starts: each once, not when this
file is imported, and not with every request. They lie in `../task_2_1`, a path that is relative to
the working directory, this folder. A missing file stops the start with an error that names it.
"""

import os
import pickle
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from fastapi import FastAPI

MODEL_FILES = {
    "logistic_regression": "../task_2_1/logistic_regression.pkl",
    "random_forest": "../task_2_1/random_forest.pkl",
}

models: dict[str, Any] = {}


def load_model(path: str) -> Any:
    with open(path, "rb") as file:
        return pickle.load(file)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    for name, path in MODEL_FILES.items():
        models[name] = load_model(path)
    yield
    models.clear()


app = FastAPI(title="ML API", lifespan=lifespan)


@app.get("/health")
async def health() -> dict[str, str]:
    return {"status": "healthy"}


@app.get("/")
async def root() -> dict[str, str]:
    return {"message": "Hello World"}


if __name__ == "__main__":
    host = os.environ.get("HOST", "127.0.0.1")
    port = int(os.environ.get("PORT", "8000"))
    uvicorn.run(app, host=host, port=port)
