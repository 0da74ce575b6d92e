"""Task 4.1: background work.

Keep a log of what was predicted, without letting anybody wait for it.

- Each successful prediction appends one line of JSON to `predictions.jsonl` in the working
  directory: `model`, `features` (an object with the four names) and `prediction`.
- The line is written 5 seconds after the answer: `log_prediction` in `predictions_log.py` waits and
  writes, and `predict` schedules it as a background task.
- Neither the answer nor any other request waits for the log, and a rejected request leaves no line.
"""

import asyncio
import pickle
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import uvicorn
from fastapi import BackgroundTasks, FastAPI, HTTPException
from pydantic import BaseModel, Field

from predictions_log import log_prediction
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

    sepal_length: Annotated[float, Field(gt=0, lt=10, description="Sepal length in cm")] = 5.1
    sepal_width: Annotated[float, Field(gt=0, lt=10, description="Sepal width in cm")] = 3.5
    petal_length: Annotated[float, Field(gt=0, lt=10, description="Petal length in cm")] = 1.4
    petal_width: Annotated[float, Field(gt=0, lt=10, description="Petal width in cm")] = 0.2


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
async def predict(
    model_name: str,
    features: IrisFeatures,
    background_tasks: BackgroundTasks,
) -> Prediction:
    if model_name not in models:
        raise HTTPException(status_code=404, detail=f"There is no model {model_name!r}")
    await asyncio.sleep(SECONDS[model_name])
    row = [features.sepal_length, features.sepal_width, features.petal_length, features.petal_width]
    prediction = int(models[model_name].predict([row])[0])
    background_tasks.add_task(log_prediction, model_name, features.model_dump(), prediction)
    return Prediction(model=model_name, prediction=prediction)


if __name__ == "__main__":
    uvicorn.run(app, host=HOST, port=PORT)
