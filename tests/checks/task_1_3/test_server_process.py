"""What a server says of itself, and whose word is taken for it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from checks.task_1_3.server_process import announced_address, ended


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


@pytest.mark.parametrize(
    ("printed", "status", "sentence"),
    [
        (
            "Traceback (most recent call last):\n"
            '  File "/home/ann/main.py", line 7, in <module>\n'
            "    uvicorn.run(app, port=port)\n"
            '  File "/lib/site-packages/uvicorn/main.py", line 626, in run\n'
            "    sock = config.bind_socket()\n"
            "TypeError: no integer",
            1,
            "python main.py raised TypeError: no integer (line 7: uvicorn.run(app, port=port))",
        ),
        ("ready", 0, "and uvicorn has not said that it started"),
        ("INFO:     Started server process [7]", 3, "http://127.0.0.1:8000; right is"),
    ],
)
def test_what_a_program_that_ended_is_told(printed: str, status: int, sentence: str) -> None:
    process = SimpleNamespace(output=printed, status=status)
    assert sentence in str(ended(process, 8000))  # type: ignore[arg-type]  # as much as is asked
