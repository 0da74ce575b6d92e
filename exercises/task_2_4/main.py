"""Task 2.4: read the paths of the models from the environment and from `.env`.

`LOGISTIC_MODEL` and `RF_MODEL` hold the paths of the two pickles, relative to this folder, which is
the working directory. Both stand in the file `.env` beside this one; a variable that is set in the
process wins over the file. If one of them is unset or empty, the application does not start: it
stops with an error that names the variable.
"""

import os
import pickle
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI

# TODO: Task 2.4: take in the file .env; its variables LOGISTIC_MODEL and RF_MODEL hold the paths.

models: dict[str, Any] = {}


def load_model(path: str) -> Any:
    with Path(path).open("rb") as file:
        return pickle.load(file)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    # TODO: Task 2.4: load each model from the path that its variable holds, or stop the start.
    yield
    models.clear()


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


if __name__ == "__main__":
    host = os.environ.get("HOST", "127.0.0.1")
    port = int(os.environ.get("PORT", "8000"))
    uvicorn.run(app, host=host, port=port)
