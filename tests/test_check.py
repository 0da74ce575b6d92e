"""The one door for checks: all that it names is there."""

from __future__ import annotations

from ml_api_lab import check


def test_what_checks_may_import_is_what_they_see() -> None:
    assert len(set(check.__all__)) == len(check.__all__)
    assert all(getattr(check, name) is not None for name in check.__all__)
