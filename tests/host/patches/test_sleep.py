"""Sleeping in lab time."""

from __future__ import annotations

import textwrap

import pytest

from tests.support.toy import Scenes

WAYS = {
    "sleep": (
        """
        import time
        time.sleep(2); print("a"); time.sleep(0); print("b"); time.sleep(0.25); print("c")
        """,
        [(2, "a"), (2, "b"), (2.25, "c")],
    ),
    "sleep refuses the past": (
        """
        import time
        try: time.sleep(-1)
        except ValueError as error: print(error)
        """,
        [(0, "sleep length must be non-negative")],
    ),
    "sched": (
        """
        import sched
        plan = sched.scheduler()
        plan.enter(2, 1, print, ("two",)); plan.enter(1, 1, print, ("one",)); plan.run()
        """,
        [(1, "one"), (2, "two")],
    ),
}


@pytest.mark.parametrize("name", WAYS)
def test_way_to_wait(name: str, scripts: Scenes) -> None:
    source, expected = WAYS[name]
    assert scripts.events(textwrap.dedent(source)) == expected
