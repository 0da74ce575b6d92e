"""Files of requirements, in the encodings that pip reads."""

from __future__ import annotations

import pytest

from checks.support.requirements import decode, package_names


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_that_pip_reads(encoding: str) -> None:
    """`pip freeze > requirements.txt` in Windows' older shell writes UTF-16."""
    data = "joblib==1.5\nUvicorn[standard]  # serves\n".encode(encoding)
    assert package_names(decode(data)) == ["joblib", "uvicorn"]


def test_bytes_that_are_no_text_are_no_traceback() -> None:
    assert package_names(decode(b"\xff\xfe\x00")) == []
