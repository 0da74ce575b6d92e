"""Task 1.3: serve the application with `python main.py`.

Run as a script, this file serves `app` with uvicorn, on the address and port that the environment
names: `HOST` (without it 127.0.0.1) and `PORT` (without it 8000). It serves until it is
interrupted. Imported, it starts nothing.
"""

from fastapi import FastAPI

app = FastAPI(title="ML API")


@app.get("/health")
async def health() -> dict[str, str]:
    return {"status": "healthy"}


@app.get("/")
async def root() -> dict[str, str]:
    return {"message": "Hello World"}

# TODO: Task 1.3: serve app with uvicorn, on HOST and PORT from the environment
