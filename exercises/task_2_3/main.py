"""Task 2.3: list the models.

`GET /models` answers `{"available_models": [...]}` with the names of the models that are loaded.
Before the application has started none is, and so none is listed.
"""

import os
import pickle
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

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


class ModelList(BaseModel):
    available_models: list[str]


app = FastAPI(title="ML API", lifespan=lifespan)


@app.get("/health")
async def health() -> dict[str, str]:
    return {"status": "healthy"}


@app.get("/")
async def root() -> dict[str, str]:
    return {"message": "Hello World"}


# TODO: Task 2.3: answer GET /models with the names of the models that are loaded.


if __name__ == "__main__":
    host = os.environ.get("HOST", "127.0.0.1")
    port = int(os.environ.get("PORT", "8000"))
    uvicorn.run(app, host=host, port=port)
