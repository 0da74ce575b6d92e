"""Task 2.4: read the paths of the models from the environment and from `.env`.

`LOGISTIC_MODEL` and `RF_MODEL` hold the paths of the two pickles, relative to this folder, which is
the working directory. Both stand in the file `.env` beside this one; a variable that is set in the
process wins over the file. If one of them is unset or empty, the application does not start: it
stops with an error that names the variable. Only `settings.py` reads the environment.
"""

import pickle
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from fastapi import FastAPI
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


class ModelList(BaseModel):
    available_models: list[str]


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


if __name__ == "__main__":
    uvicorn.run(app, host=HOST, port=PORT)
