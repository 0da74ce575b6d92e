"""What several tests of the host need."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ml_api_lab.sandbox.hosts.host_pool import HostPool


@pytest.fixture(scope="session")
def pool() -> Iterator[HostPool]:
    """Hosts on the wall clock, with FastAPI loaded."""
    pool = HostPool("real", ("fastapi", "uvicorn"))
    yield pool
    pool.close()
