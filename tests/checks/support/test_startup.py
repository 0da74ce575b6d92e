"""A start that must fail: by an error that names what is amiss, and by no other end."""

from __future__ import annotations

import pytest

from checks.support.startup import expect_no_start
from ml_api_lab.errors import Late
from ml_api_lab.sandbox.clock import Clock
from ml_api_lab.task import Task
from tests.support.toy import Scenes

SERVED = """
async def app(scope, receive, send):
    await receive()
    await send({"type": "lifespan.startup.complete"})
"""


async def scene(task: Task, clock: Clock) -> None:
    await expect_no_start(task, "x.pkl", because="Without x.pkl")


@pytest.mark.parametrize(
    "source",
    [
        "raise FileNotFoundError('x.pkl')",
        "raise SystemExit('x.pkl is missing')",
        "import os\nprint('x.pkl is missing', flush=True)\nos._exit(1)",
    ],
)
def test_an_error_that_names_it_is_right(source: str, scripts: Scenes) -> None:
    scripts.play(source, scene)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("raise ValueError('no')", "the start stopped with 'ValueError: no'"),
        ("print('no', flush=True)\nimport os\nos._exit(1)", "the start stopped with 'no'"),
        ("import os\nos._exit(1)", "the start stopped with ''"),
        (SERVED, "the application started all the same"),
    ],
)
def test_any_other_end_is_told(source: str, said: str, scripts: Scenes) -> None:
    with pytest.raises(AssertionError, match=said):
        scripts.play(source, scene)


def test_what_comes_to_no_end_is_no_other_error(scripts: Scenes) -> None:
    # So it is tried again alone, and its sentence says what happened.
    with pytest.raises(Late, match="did not come to rest within 2 s"):
        scripts.play("while True:\n    pass", scene, budget=2)
