"""Lists of requirements, as they are read for tasks 1.1 and 5.1."""

from __future__ import annotations

from pathlib import Path

import pytest

from checks.support.requirements import decoded, names
from checks.task_5_1.installation import installed
from ml_api_lab.images.dockerfile import read

DOCKERFILE = """\
FROM python:3.12-slim
COPY requirements.txt .
RUN pip install -r requirements.txt
"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_lists_in_the_encodings_that_pip_reads(encoding: str, tmp_path: Path) -> None:
    """`pip freeze > requirements.txt` in Windows' older shell writes UTF-16."""
    data = "joblib==1.5\nUvicorn[standard]  # serves\n".encode(encoding)
    assert names(decoded(data)) == ["joblib", "uvicorn"]
    (tmp_path / "Dockerfile").write_text(DOCKERFILE, encoding="utf-8")
    (tmp_path / "requirements.txt").write_bytes(data)
    assert {"joblib", "uvicorn"} <= installed(read(tmp_path))


def test_bytes_that_are_no_text_are_no_traceback() -> None:
    assert names(decoded(b"\xff\xfe\x00")) == []


def test_a_list_that_names_another(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(
        "FROM python:3.12-slim\nCOPY . /app/\nWORKDIR /app\nRUN pip install -r requirements.txt\n"
    )
    (tmp_path / "requirements.txt").write_text("-r base.txt\n--requirement=requirements.txt\n")
    (tmp_path / "base.txt").write_text("uvicorn\n")
    assert installed(read(tmp_path)) >= {"uvicorn"}
