"""What a server says of itself, and whose word is taken for it."""

from __future__ import annotations

import pytest

from checks.task_1_3.server_process import announced_address


@pytest.mark.parametrize(
    ("printed", "found"),
    [
        (
            "INFO: Uvicorn running on http://127.0.0.1:8000 (Press CTRL+C to quit)",
            ("127.0.0.1", 8000),
        ),
        ("Uvicorn running on \x1b[1mhttp://127.0.0.1:8000\x1b[0m", ("127.0.0.1", 8000)),
        ("running on " + "http://" * 140_000, None),
        ("running on " * 90_000, None),
    ],
)
def test_where_it_says_that_it_runs(printed: str, found: tuple[str, int] | None) -> None:
    assert announced_address(printed) == found
