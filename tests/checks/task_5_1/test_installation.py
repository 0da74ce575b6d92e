"""What an image installs, as its Dockerfile and its files of requirements say."""

from __future__ import annotations

from pathlib import Path

import pytest

from checks.task_5_1.installation import installed_packages
from ml_api_lab.images.dockerfile import read

DOCKERFILE = """\
FROM python:3.12-slim
COPY requirements.txt .
RUN pip install -r requirements.txt
"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_requirements_in_the_encodings_that_pip_reads(encoding: str, tmp_path: Path) -> None:
    """`pip freeze > requirements.txt` in Windows' older shell writes UTF-16."""
    (tmp_path / "Dockerfile").write_text(DOCKERFILE, encoding="utf-8")
    text = "joblib==1.5\nUvicorn[standard]  # serves\n"
    (tmp_path / "requirements.txt").write_bytes(text.encode(encoding))
    assert {"joblib", "uvicorn"} <= installed_packages(read(tmp_path))


def test_a_file_of_requirements_that_includes_another(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(
        "FROM python:3.12-slim\nCOPY . /app/\nWORKDIR /app\nRUN pip install -r requirements.txt\n"
    )
    (tmp_path / "requirements.txt").write_text("-r base.txt\n--requirement=requirements.txt\n")
    (tmp_path / "base.txt").write_text("uvicorn\n")
    assert installed_packages(read(tmp_path)) >= {"uvicorn"}
