"""Options of the slow proofs."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--runs", type=int, default=10, help="how often busy_machine.py grades all")
    parser.addoption("--processes", type=int, default=4, help="how many processes keep it busy")
