"""The processor's time in lab time: exact, so that no verdict depends on how fast a machine is."""

from __future__ import annotations

from tests.support.toy import Scenes

MEASURES = """
import time
from time import process_time

began = process_time(), time.process_time_ns(), time.thread_time(), time.thread_time_ns()
sum(range(2_000_000))
time.sleep(5)
ended = process_time(), time.process_time_ns(), time.thread_time(), time.thread_time_ns()
print([round(after - before, 9) for before, after in zip(began, ended)])
"""

WAITS = """
import time

began = time.monotonic()
end = time.process_time() + 0.01
while time.process_time() < end:
    pass
print(time.monotonic() - began)
"""


def test_neither_work_nor_sleep_takes_any(scripts: Scenes) -> None:
    assert scripts.script(MEASURES).output == "[4e-06, 4000, 4e-06, 4000]"


def test_who_waits_for_some_to_pass_comes_to_an_end(scripts: Scenes) -> None:
    assert scripts.script(WAITS).output == "0.0"
