"""What a HIT leaves in the log of predictions, beside the MISS before it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from checks.support import prediction_log
from checks.support.api_keys import key_header, new_key
from checks.support.hints import hinted
from checks.support.predictions import predict
from checks.task_4_5.cache_header import MODEL
from ml_api_lab.check import Hinted, seconds

if TYPE_CHECKING:
    from ml_api_lab.check import Clock, Task


async def expect_lines_of_both(task: Task, clock: Clock, waited: float) -> None:
    """Assert that a MISS and a HIT leave two lines, and none too early.

    Args:
        waited: how many seconds ago the HIT was asked for.
    """
    await asyncio.sleep(4 - waited)
    with hinted("Who waits 5 s before the line of a HIT is written, and who before a MISS's?"):
        prediction_log.expect_line_count(task, 0, "4 s after the HIT it is too early for a line")
    await prediction_log.wait_for_predictions(task, clock, 2, is_tested=True)
    await asyncio.sleep(6)  # time for a line too many, one behind the other


async def expect_both_records(task: Task, flower: list[float]) -> None:
    """Assert that the log has two lines, and that both tell of that flower."""
    because = "there was one MISS and one HIT, and both are predictions"
    try:
        prediction_log.expect_line_count(task, 2, because)
    except AssertionError as error:
        alone = await _lines_of_a_miss(task, flower)
        raise Hinted(
            f"{error} Of these, a MISS alone leaves {alone}.",
            "How often does your code schedule the log for a HIT, and how often for a MISS?",
        ) from None
    with hinted("What do you hand to the log for a HIT, and what for a MISS?"):
        prediction_log.expect_every_record(task, MODEL, flower, task.models.answer(MODEL, flower))


async def _lines_of_a_miss(task: Task, flower: list[float]) -> int:
    """Return how many lines a prediction leaves that is asked for once."""
    prediction_log.reset(task)
    key = new_key(task)
    async with task.serve(env={"API_KEY": key}) as client:
        await predict(client, MODEL, flower, key_header(key))
        await asyncio.sleep((2 * prediction_log.DELAY + seconds(1)) / seconds(1))
    return len(prediction_log.lines(task))
