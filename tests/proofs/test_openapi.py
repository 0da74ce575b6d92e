"""What /openapi.json, and so /docs, tells of the solutions that ask for a key."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from ml_api_lab.course import syllabus
from tests.proofs.prover import COURSE

TASKS = syllabus.read(COURSE / "checks" / "syllabus.toml").tasks
WITH_PREDICTIONS = [task.name for task in TASKS if task.models and task.name >= "task_3_1"]
WITH_A_KEY = [task for task in WITH_PREDICTIONS if task >= "task_4_2"]
PREDICT = "/predict/{model_name}"


def schema_of(task: str) -> dict[str, Any]:
    code = "import json, main; print(json.dumps(main.app.openapi()))"
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    folder = COURSE / "solutions" / task
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=env, capture_output=True, check=True
    )
    schema: dict[str, Any] = json.loads(run.stdout)
    return schema


@pytest.mark.parametrize("task", WITH_A_KEY)
def test_the_key_is_shown_where_it_is_asked_for(task: str) -> None:
    schema = schema_of(task)
    schemes = schema["components"]["securitySchemes"]
    assert schemes == {"APIKeyHeader": {"type": "apiKey", "in": "header", "name": "X-API-Key"}}
    asks = {
        path
        for path, methods in schema["paths"].items()
        for operation in methods.values()
        if operation.get("security") == [{"APIKeyHeader": []}]
    }
    assert asks == {"/models", PREDICT}
    assert "401" in schema["paths"]["/models"]["get"]["responses"]


@pytest.mark.parametrize("task", WITH_PREDICTIONS)
def test_every_answer_of_a_prediction_is_shown(task: str) -> None:
    schema = schema_of(task)
    told = schema["paths"][PREDICT]["post"]["responses"]
    shown = {
        status: each["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        for status, each in told.items()
    }
    refused = {"401": "Problem"} if task in WITH_A_KEY else {}
    assert shown == {
        "200": "Prediction",
        "400": "Problem",
        **refused,
        "404": "Problem",
        "422": "HTTPValidationError",
    }
