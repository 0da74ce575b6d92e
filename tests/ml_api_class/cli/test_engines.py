"""Which engine is meant."""

from __future__ import annotations

import pytest

from ml_api_class.cli.engines import address_of
from ml_api_class.errors import ClassError


@pytest.mark.parametrize(
    ("asked", "address"),
    [
        ("dask", None),
        ("dask://10.0.0.7:8786", "tcp://10.0.0.7:8786"),
        ("dask+tls://head:8786", "tls://head:8786"),
    ],
)
def test_the_address_of_a_cluster(asked: str, address: str | None) -> None:
    assert address_of(asked) == address


@pytest.mark.parametrize("asked", ["", "spark", "dask://", "tcp://head:8786"])
def test_what_is_no_engine(asked: str) -> None:
    with pytest.raises(ClassError, match="There is no engine"):
        address_of(asked)
