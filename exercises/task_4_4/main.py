"""Task 4.4: timing and logs.

- Every answer carries `X-Process-Time`, the seconds that it took, and `X-Request-ID`: the caller's
  own if the request has one, otherwise a fresh one. Refusals, 404s and 422s carry them as well.
- Every request leaves one line of JSON on the standard output: `id`, `method`, `path`, `status` and
  `duration` in seconds, in agreement with the headers.
- An endpoint that raises leaves its line too, with the status 500.
- `observe` in `observability.py` is the middleware that does it, around the one that asks for keys.
"""

import asyncio
import os
import pickle
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import uvicorn
from dotenv import load_dotenv
from fastapi import BackgroundTasks, FastAPI, HTTPException
from pydantic import BaseModel, Field
from starlette.middleware.base import BaseHTTPMiddleware

from auth import api_key, guard
# TODO: Task 4.4: import what observability.py offers.
from predictions_log import log_prediction

load_dotenv()

MODEL_VARIABLES = {"logistic_regression": "LOGISTIC_MODEL", "random_forest": "RF_MODEL"}
SECONDS = {"logistic_regression": 2, "random_forest": 3}

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
    api_key()  # without a key, do not even start
    for name, variable in MODEL_VARIABLES.items():
        models[name] = load_model(model_path(variable))
    yield
    models.clear()


class IrisFeatures(BaseModel):
    """A flower's four measures in centimetres."""

    sepal_length: Annotated[float, Field(gt=0, lt=10, description="Sepal length in cm")] = 5.1
    sepal_width: Annotated[float, Field(gt=0, lt=10, description="Sepal width in cm")] = 3.5
    petal_length: Annotated[float, Field(gt=0, lt=10, description="Petal length in cm")] = 1.4
    petal_width: Annotated[float, Field(gt=0, lt=10, description="Petal width in cm")] = 0.2


app = FastAPI(title="ML API", lifespan=lifespan)
app.add_middleware(BaseHTTPMiddleware, dispatch=guard)
# TODO: Task 4.4: observe every request; mind which middleware is the outer one.


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
async def predict(
    model_name: str,
    features: IrisFeatures,
    background: BackgroundTasks,
) -> dict[str, str | int]:
    if model_name not in models:
        raise HTTPException(404, f"There is no model {model_name!r}")
    await asyncio.sleep(SECONDS[model_name])
    row = [
        features.sepal_length,
        features.sepal_width,
        features.petal_length,
        features.petal_width,
    ]
    prediction = int(models[model_name].predict([row])[0])
    background.add_task(log_prediction, model_name, features.model_dump(), prediction)
    return {"model": model_name, "prediction": prediction}


if __name__ == "__main__":
    host = os.environ.get("HOST", "127.0.0.1")
    port = int(os.environ.get("PORT", "8000"))
    uvicorn.run(app, host=host, port=port)
