"""Options that several commands have."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from ml_api_class.cli.engines import LOCAL

F = TypeVar("F", bound=Callable[..., Any])

run_argument = click.argument("run", type=click.Path(file_okay=False, path_type=Path))


def grading_options(function: F) -> F:
    """Give a command the options of everything that grades."""
    options = (
        click.option(
            "--isolation",
            "wanted",
            type=click.Choice(["best", "landlock", "namespace", "none"]),
            default="best",
            show_default=True,
            help="The tier of isolation; best is the strongest that works here.",
        ),
        click.option(
            "--engine",
            "engine_name",
            default=LOCAL,
            show_default=True,
            help="What grades: local, dask (a cluster of this machine) or dask://HOST:PORT.",
        ),
        click.option(
            "--workers",
            type=click.IntRange(1, 256),
            default=default_workers,
            help="How many worker processes; by default one more than there are cores.",
        ),
        click.option(
            "--time-limit",
            type=click.FloatRange(min=1),
            default=900,
            show_default=True,
            help="Seconds that one submission may take; one that takes longer is not graded.",
        ),
        click.option(
            "--memory",
            type=click.IntRange(0),
            default=2048,
            show_default=True,
            help="MB of memory for each process of a submission; 0 for no limit.",
        ),
    )
    for option in reversed(options):
        function = option(function)
    return function


def default_workers() -> int:
    """Return one worker for each core that this process may use, and one more.

    A worker grades one submission at a time, and that often waits for a real server or a time-out.
    """
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    return cores + 1
