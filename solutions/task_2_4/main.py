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
from dotenv import load_dotenv
from fastapi import FastAPI

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
