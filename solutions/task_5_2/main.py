"""Task 5.2: the deployment.

The image is built. Now tell a platform how to run it, in one file beside this one: `service.yaml`
for Cloud Run, or `containerapp.yaml` for Azure Container Apps. It names

- the image, and port 8080, where the container listens;
- the platform's secret that `API_KEY` comes from; the key itself is nowhere in the file;
- at least one probe, and `/health` for every probe;
- limits of CPU and memory;
- how many instances there are at least and at most, and how many requests one takes at once.
"""

import asyncio
import pickle
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import uvicorn
from fastapi import BackgroundTasks, Depends, FastAPI, HTTPException, Response
from pydantic import BaseModel, Field
from starlette.middleware.base import BaseHTTPMiddleware

from auth import guard, key_header
from cache import PredictionCache
from observability import observe
from predictions_log import log_prediction
from settings import CACHE_SIZE, CACHE_TTL, HOST, MODEL_FILES, PORT

SECONDS = {"logistic_regression": 2, "random_forest": 3}
models: dict[str, Any] = {}


def load_model(path: str) -> Any:
    with open(path, "rb") as file:
        return pickle.load(file)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    for name, path in MODEL_FILES.items():
        models[name] = load_model(path)
    app.state.cache = PredictionCache(CACHE_SIZE, CACHE_TTL)
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
app.add_middleware(BaseHTTPMiddleware, dispatch=guard)
# Added last, it is the outermost: what the guard refuses is timed and logged as well.
app.add_middleware(BaseHTTPMiddleware, dispatch=observe)


@app.get("/health")
async def health() -> dict[str, str]:
    return {"status": "healthy"}


@app.get("/")
async def root() -> dict[str, str]:
    return {"message": "Hello World"}


@app.get(
    "/models",
    dependencies=[Depends(key_header)],
    responses={401: {"model": Problem}},
)
async def list_models() -> ModelList:
    return ModelList(available_models=list(models))


@app.post(
    "/predict/{model_name}",
    dependencies=[Depends(key_header)],
    responses={400: {"model": Problem}, 401: {"model": Problem}, 404: {"model": Problem}},
)
async def predict(
    model_name: str,
    features: IrisFeatures,
    background_tasks: BackgroundTasks,
    response: Response,
) -> Prediction:
    if model_name not in models:
        raise HTTPException(status_code=404, detail=f"There is no model {model_name!r}")
    cache: PredictionCache = app.state.cache
    key = (model_name, *features.model_dump().values())
    known = cache.get(key)
    if known is not None:
        response.headers["X-Cache"] = "HIT"
        background_tasks.add_task(log_prediction, model_name, features.model_dump(), known)
        return Prediction(model=model_name, prediction=known)
    response.headers["X-Cache"] = "MISS"
    await asyncio.sleep(SECONDS[model_name])
    row = [features.sepal_length, features.sepal_width, features.petal_length, features.petal_width]
    prediction = int(models[model_name].predict([row])[0])
    cache.put(key, prediction)
    background_tasks.add_task(log_prediction, model_name, features.model_dump(), prediction)
    return Prediction(model=model_name, prediction=prediction)


if __name__ == "__main__":
    uvicorn.run(app, host=HOST, port=PORT)
