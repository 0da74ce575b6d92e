"""Task 3.3: features that make sense.

Each of the four features gets

- limits: more than 0 and less than 10 (centimetres),
- a description of your own,
- a default: 5.1, 3.5, 1.4 and 0.2, in the usual order. The body `{}` is predicted with them.

`/openapi.json`, and so `/docs`, shows all three. What is out of its limits or no number is answered
with 422, at once and without asking the model; the answer names every feature that is wrong.
"""

import asyncio
import pickle
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import uvicorn
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, Field

from settings import HOST, MODEL_FILES, PORT

SECONDS = {"logistic_regression": 2, "random_forest": 3}
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

    # TODO: Task 3.3: the four features again, each with its limits, description and default


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
    await asyncio.sleep(SECONDS[model_name])
    row = [features.sepal_length, features.sepal_width, features.petal_length, features.petal_width]
    prediction = int(models[model_name].predict([row])[0])
    return Prediction(model=model_name, prediction=prediction)


if __name__ == "__main__":
    uvicorn.run(app, host=HOST, port=PORT)
