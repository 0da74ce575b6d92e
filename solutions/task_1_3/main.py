"""Task 1.3: serve the application with `python main.py`.

Run as a script, this file serves `app` with uvicorn, on the address and port that the environment
names: `HOST` (without it 127.0.0.1) and `PORT` (without it 8000). It serves until it is
interrupted. Imported, it starts nothing.
"""

import os

import uvicorn
from fastapi import FastAPI

app = FastAPI(title="ML API")


@app.get("/health")
async def health() -> dict[str, str]:
    return {"status": "healthy"}


@app.get("/")
async def root() -> dict[str, str]:
    return {"message": "Hello World"}


if __name__ == "__main__":
    host = os.environ.get("HOST", "127.0.0.1")
    port = int(os.environ.get("PORT", "8000"))
    uvicorn.run(app, host=host, port=port)
