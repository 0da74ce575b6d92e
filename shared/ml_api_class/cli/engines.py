"""Which engine grades: the one of this machine, or a Dask cluster."""

from __future__ import annotations

from importlib.util import find_spec

from ml_api_class.engines.engine import Engine
from ml_api_class.engines.local import Limits, LocalEngine
from ml_api_class.errors import ClassError
from ml_api_class.grading.unit import Settings
from ml_api_lab.errors import WrongEnvironment

LOCAL = "local"
_OF_THIS_MACHINE = "dask"
_SCHEMES = {"dask://": "tcp://", "dask+tls://": "tls://"}


def open_engine(asked: str, settings: Settings, workers: int, limits: Limits) -> Engine:
    """Return the engine that is asked for: `local`, `dask`, or `dask://HOST:PORT`.

    Raises:
        ClassError: there is no such engine, or its cluster cannot be used.
        WrongEnvironment: Dask is not installed.
    """
    if asked == LOCAL:
        return LocalEngine(settings, workers, limits)
    address = address_of(asked)
    if find_spec("distributed") is None:
        raise WrongEnvironment(
            "Dask is not installed here; in the folder of the lab, run: "
            'python -m pip install -e ".[dask]"'
        )
    # Late: it is an extra, and takes long to import.
    from ml_api_class.engines.dask_cluster import Cluster, DaskEngine

    return DaskEngine(Cluster(address, workers), settings, limits)


def address_of(asked: str) -> str | None:
    """Return the address of a scheduler as Dask writes it, None for a cluster of this machine.

    Raises:
        ClassError: there is no such engine.
    """
    if asked == _OF_THIS_MACHINE:
        return None
    for scheme, written in _SCHEMES.items():
        if asked.startswith(scheme) and asked != scheme:
            return written + asked.removeprefix(scheme)
    raise ClassError(
        f"There is no engine {asked!r}; valid are local, dask (a cluster of this machine), "
        "dask://HOST:PORT and dask+tls://HOST:PORT."
    )
