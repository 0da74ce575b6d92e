"""The options that the lab adds to pytest's command line, and what they are without being given."""

from __future__ import annotations

import argparse

import pytest

from ml_api_lab.lab_time import BUDGET_SECONDS
from ml_api_lab.protocol.confinement import TIERS


def add_options(group: pytest.OptionGroup) -> None:
    """Add the lab's options to that group of pytest's."""
    group.addoption(
        "--tree",
        metavar="TREE",
        help="what to grade: exercises (the default), solutions, or a path (also: LAB_TREE)",
    )
    group.addoption(
        "--clock",
        choices=("lab", "real"),
        default="lab",
        help="lab: exact and fast (the default); real: the same checks on the wall clock",
    )
    group.addoption(
        "--seed", type=int, metavar="N", help="repeat a run's random choices (see its header)"
    )
    group.addoption(
        "--budget",
        type=_seconds,
        default=BUDGET_SECONDS,
        metavar="SECONDS",
        help="real time that a check may take before it is ended (default: %(default)g)",
    )
    group.addoption(
        "--isolation",
        choices=("auto", "best", *TIERS),
        default="auto",
        help="how far a submission's processes are confined: auto (the default: the best that "
        "costs nearly nothing), best (the strongest that works here), or that very tier",
    )
    group.addoption(
        "--report",
        action="append",
        default=[],
        metavar="FORMAT=FILE",
        help="write the grade to a file; FORMAT is json, junit, markdown, html, gradescope, "
        "classroom50 or prairielearn (repeatable)",
    )
    group.addoption(
        "--debugger",
        type=_port,
        metavar="PORT",
        help="have each submission wait at that port of this machine until an editor attaches its "
        "debugger; turns isolation off, and grades on the wall clock",
    )
    group.addoption(
        "--docker",
        action="store_true",
        help="build and run container images with the real engine (default: lay their files out)",
    )


def _seconds(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no number of seconds above 0, as in --budget=20"
        )
    return number


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no port from 1 to 65535, as in --debugger=5678"
        )
    return int(text)
