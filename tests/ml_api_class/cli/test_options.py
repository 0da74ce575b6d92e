"""Options that several commands have: how many workers grade."""

from __future__ import annotations

import os

import pytest

from ml_api_class.cli.options import default_workers


@pytest.mark.parametrize(("cores", "workers"), [(1, 2), (2, 3), (64, 65)])
def test_one_worker_more_than_there_are_cores(
    cores: int, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(cores)), raising=False)
    assert default_workers() == workers


def test_where_nobody_tells_which_cores_may_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert default_workers() == 2
