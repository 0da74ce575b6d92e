"""The settings: what the environment says, and `.env` where the environment says nothing."""

import os

from dotenv import load_dotenv

load_dotenv()


def required(name: str) -> str:
    """Return the value of a variable; raise an error that names it if it is unset or empty."""
    value = os.environ.get(name)
    if not value:
        raise RuntimeError(f"{name} is not set; put it into .env")
    return value


HOST = os.environ.get("HOST", "127.0.0.1")
PORT = int(os.environ.get("PORT", "8000"))
MODEL_FILES = {
    "logistic_regression": required("LOGISTIC_MODEL"),
    "random_forest": required("RF_MODEL"),
}
API_KEY = required("API_KEY")
CACHE_SIZE = int(os.environ.get("CACHE_SIZE", "128"))
CACHE_TTL = float(os.environ.get("CACHE_TTL", "30"))
