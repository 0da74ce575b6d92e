"""Task 3.1: ask a model for a prediction.

`POST /predict/{model_name}` takes a flower as JSON:

    {"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}

- It answers {"model": "random_forest", "prediction": 0}: the name that was asked for, and what that
  model itself answers, as a whole number. A model takes the four features in the order above.
- A name that no model has is answered with 404 (or 422) and a JSON `detail`.
- A missing feature, or a word where a number belongs, is answered with 422, and the answer names
  the feature. `IrisFeatures` tells FastAPI what a body looks like, `Prediction` what an answer is.
"""

import pickle
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

from settings import HOST, MODEL_FILES, PORT

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


class IrisFeatures(BaseModel):
    """A flower's four measures in centimetres."""

    sepal_length: float
    sepal_width: float
    petal_length: float
    petal_width: float


class Prediction(BaseModel):
    model: str
    prediction: int


class ModelList(BaseModel):
    available_models: list[str]


class Problem(BaseModel):
    detail: str


app = FastAPI(title="ML API", lifespan=lifespan)


@app.get("/health")
async def health() -> dict[str, str]:
    return {"status": "healthy"}


@app.get("/")
async def root() -> dict[str, str]:
    return {"message": "Hello World"}


@app.get("/models")
async def list_models() -> ModelList:
    return ModelList(available_models=list(models))


@app.post("/predict/{model_name}", responses={400: {"model": Problem}, 404: {"model": Problem}})
async def predict(model_name: str, features: IrisFeatures) -> Prediction:
    if model_name not in models:
        raise HTTPException(status_code=404, detail=f"There is no model {model_name!r}")
    row = [features.sepal_length, features.sepal_width, features.petal_length, features.petal_width]
    prediction = int(models[model_name].predict([row])[0])
    return Prediction(model=model_name, prediction=prediction)


if __name__ == "__main__":
    uvicorn.run(app, host=HOST, port=PORT)
