"""Task 3.2: slow predictions that keep nobody else waiting.

Real models can take a while, so this task makes them slow: a prediction of `logistic_regression`
takes 2 seconds, one of `random_forest` 3 seconds.

- Predictions wait at the same time: both together take 3 seconds, and so do twenty.
- Any other request is answered at once meanwhile, `/health` among them.
- Each answer is still the one for its own flower.
"""

import os
import pickle
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import uvicorn
from dotenv import load_dotenv
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

load_dotenv()

MODEL_VARIABLES = {"logistic_regression": "LOGISTIC_MODEL", "random_forest": "RF_MODEL"}

models: dict[str, Any] = {}


def load_model(path: str) -> Any:
    with Path(path).open("rb") as file:
        return pickle.load(file)


def model_path(variable: str) -> str:
    """Return the path that the variable holds."""
    path = os.environ.get(variable)
    if not path:
        raise RuntimeError(f"{variable} is not set; put the path of the model into .env")
    return path


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    for name, variable in MODEL_VARIABLES.items():
        models[name] = load_model(model_path(variable))
    yield
    models.clear()


class IrisFeatures(BaseModel):
    """A flower's four measures in centimetres."""

    sepal_length: float
    sepal_width: float
    petal_length: float
    petal_width: float


app = FastAPI(title="ML API", lifespan=lifespan)


@app.get("/health")
async def health() -> dict[str, str]:
    return {"status": "healthy"}


@app.get("/")
async def root() -> dict[str, str]:
    return {"message": "Hello World"}


@app.get("/models")
async def list_models() -> dict[str, list[str]]:
    return {"available_models": list(models)}


@app.post("/predict/{model_name}")
async def predict(model_name: str, features: IrisFeatures) -> dict[str, str | int]:
    if model_name not in models:
        raise HTTPException(404, f"There is no model {model_name!r}")
    raise NotImplementedError("Task 3.2: take 2 or 3 seconds, and keep nobody else waiting")
    row = [
        features.sepal_length,
        features.sepal_width,
        features.petal_length,
        features.petal_width,
    ]
    prediction = int(models[model_name].predict([row])[0])
    return {"model": model_name, "prediction": prediction}


if __name__ == "__main__":
    host = os.environ.get("HOST", "127.0.0.1")
    port = int(os.environ.get("PORT", "8000"))
    uvicorn.run(app, host=host, port=port)
