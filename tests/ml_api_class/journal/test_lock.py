"""The lock: one process grades into a folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from ml_api_class.errors import RunInUse
from ml_api_class.journal.lock import locked


def test_a_second_one_is_refused_until_the_first_ends(tmp_path: Path) -> None:
    with (
        locked(tmp_path),
        pytest.raises(RunInUse, match="Another process grades into"),
        locked(tmp_path),
    ):
        raise AssertionError("two have the lock")
    with locked(tmp_path):
        assert (tmp_path / "lock.sqlite").exists()
