"""Task 3.1: ask a model for a prediction.

`POST /predict/{model_name}` takes a flower as JSON:

    {"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}

- It answers {"model": "random_forest", "prediction": 0}: the name that was asked for, and what that
  model itself answers, as a whole number. A model takes the four features in the order above.
- A name that no model has is answered with 404 (or 422) and a JSON `detail`.
- A missing feature, or a word where a number belongs, is answered with 422, and the answer names
  the feature. `IrisFeatures` tells FastAPI what a body looks like.
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
