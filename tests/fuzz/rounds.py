"""Whatever a submission's files and answers hold: each parser of the checks' side takes it in time.

Texts are made of the words that a parser knows, repeated and strung together. A parser may say what
is wrong with them, in an error of its own kind; anything else is a fault of the parser. The rounds
are the same in each run. Time is that of the processor, and its limit is there to tell a parser
whose time grows with a power of the length from one that is linear, not to measure a machine.
"""

from __future__ import annotations

import os
import random
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from ml_api_lab.course.syllabus import Entry
from ml_api_lab.sandbox.clock import LabClock
from ml_api_lab.sandbox.files.workspace import Workspace
from ml_api_lab.sandbox.transcript import Transcript
from ml_api_lab.task import Task

ROUNDS = int(os.environ.get("FUZZ_ROUNDS", "60"))
"""How often each parser is tried; `tox -e fuzz` takes 500."""

LIMIT_SECONDS = 10.0
"""How long a parser may compute, in seconds of the processor's time: what is linear needs less than
a tenth of it, and what is not needs minutes."""

rounds = settings(
    max_examples=ROUNDS,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def texts(*words: str, most: int = 2000) -> st.SearchStrategy[str]:
    """Return texts of these words, of others, and of many of the same."""
    word = st.sampled_from(words)
    many = st.builds(lambda each, count: each * count, word, st.integers(2, most))
    return st.lists(word | word | st.text(max_size=4) | many, max_size=14).map("".join)


@contextmanager
def in_time(*accepted: type[Exception], limit_seconds: float = LIMIT_SECONDS) -> Iterator[None]:
    began = time.thread_time()
    try:
        yield
    except accepted:
        pass
    assert time.thread_time() - began < limit_seconds


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder that is filled anew each round."""
    path = Path(tempfile.mkdtemp(prefix="fuzz-"))
    yield path
    shutil.rmtree(path)


def task_of(folder: Path) -> Task:
    entry = Entry("task_9_9", "Fuzz", "Fuzz")
    workspace = Workspace(folder, entry.name, entry.name)
    transcript = Transcript(workspace.folder, folder, entry.name)

    def no_hosts() -> Any:
        raise AssertionError("nothing runs here")

    return Task(entry, workspace, LabClock(1), transcript, no_hosts, random.Random(1))


def fill(folder: Path, **files: str) -> None:
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_bytes(text.encode("utf-8", "surrogatepass"))
