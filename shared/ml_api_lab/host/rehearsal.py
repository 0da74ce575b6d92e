"""An application as submissions are: what a fork server serves once, before it forks.

What is done for the first time takes longest: names are looked up, caches are filled. A fork finds
that done. Nothing here starts a thread, which a fork would not have.

It is run as a submission is, as a file: without the `annotations` of `__future__`, since FastAPI
looks for the names of types in the module alone.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import BackgroundTasks, Depends, FastAPI, HTTPException, Request, Response
from fastapi.security import APIKeyHeader
from pydantic import BaseModel, Field

Next = Callable[[Request], Awaitable[Response]]


class Features(BaseModel):
    length: float = Field(1.0, gt=0, le=10, description="in centimetres")
    width: float = 1.0


class Answer(BaseModel):
    name: str
    value: int


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield


app = FastAPI(title="Rehearsal", lifespan=lifespan)
key_header = APIKeyHeader(name="X-API-Key", auto_error=False)


async def check_key(key: Annotated[str | None, Depends(key_header)]) -> None:
    if key is None:
        raise HTTPException(status_code=401, detail="no key")


@app.middleware("http")
async def pass_on(request: Request, call_next: Next) -> Response:
    response = await call_next(request)
    response.headers["X-Request-ID"] = "1"
    return response


@app.get("/")
async def root() -> dict[str, str]:
    return {"message": "Hello"}


@app.get("/names")
async def names() -> list[str]:
    return ["one", "two"]


@app.post("/answer/{name}", dependencies=[Depends(check_key)])
async def answer(name: str, features: Features, tasks: BackgroundTasks) -> Answer:
    if name != "one":
        raise HTTPException(status_code=404, detail=f"no {name}")
    tasks.add_task(names)
    return Answer(name=name, value=1)
