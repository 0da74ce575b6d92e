"""What an application tells of one request alone, for checks that ask about something else."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from checks.support.api_keys import key_header
from checks.support.http import expect, is_close
from checks.support.predictions import MODELS, draw_features, predict
from checks.support.tracing import ID_HEADER, header_value, process_time
from checks.task_4_4.request_log import right_keys, wait_for_line
from ml_api_lab.check import took

if TYPE_CHECKING:
    import httpx

    from ml_api_lab.check import Clock, Task


@dataclass(frozen=True)
class Alone:
    """What an application tells rightly of one prediction with nothing else to do.

    What is wrong here is wrong in the check that asks for it, of the same prediction; the checks
    about refusals, errors and requests at the same time look at the rest.

    Attributes:
        time: whether X-Process-Time is right.
        keeps_ids: whether the caller's id comes back.
        keys: those of the line that are right, none if there is no line.
    """

    time: bool
    keeps_ids: bool
    keys: frozenset[str]


async def ask_alone(task: Task, clock: Clock, client: httpx.AsyncClient, key: str) -> Alone:
    """Ask for one prediction, and return what is right of what is told of it."""
    sent = f"alone-{task.draw.getrandbits(32):08x}"
    headers = {**key_header(key), ID_HEADER: sent}
    answer = await predict(client, MODELS[0], draw_features(task), headers)
    expect(answer, 200)
    returned = header_value(answer, ID_HEADER, exact=False)
    keys: set[str] = set()
    with contextlib.suppress(AssertionError):
        line = await wait_for_line(task, clock, returned)
        keys = right_keys(line, answer, f"/predict/{MODELS[0]}")
    return Alone(time_is_right(answer), returned == sent, frozenset(keys))


def time_is_right(answer: httpx.Response) -> bool:
    """Whether X-Process-Time is a number of seconds, and the right one."""
    try:
        return is_close(took(answer), process_time(answer))
    except AssertionError:
        return False
