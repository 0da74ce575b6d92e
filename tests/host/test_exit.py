"""A script's end: what it has started and registered is dealt with as Python does."""

from __future__ import annotations

import textwrap

from tests.support.toy import Scenes


def test_a_child_process_that_nobody_joined_is_waited_for(scripts: Scenes) -> None:
    """Also where the harness has loaded multiprocessing before the script did."""
    source = """
        import multiprocessing, time

        def work():
            time.sleep(0.2)  # of real time: another process is outside the lab
            print("child")

        if __name__ == "__main__":
            multiprocessing.get_context("spawn").Process(target=work).start()
            print("main")
    """
    assert scripts.events(textwrap.dedent(source)) == [(0, "main"), (0, "child")]
