"""What is wrong with a time that an application claims, as a hint."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.support.http import is_close, request_line
from checks.support.prediction_log import DELAY
from checks.support.tracing import TIME_HEADER, header_value, process_time
from ml_api_lab.check import Hinted, Span, seconds, took

if TYPE_CHECKING:
    import httpx


def expect_time_in_header(answer: httpx.Response, other: httpx.Response | None = None) -> None:
    """Assert that X-Process-Time is the time that the answer took.

    Args:
        other: an answer that took another time; where it claims the same, the sentence says so.
    """
    claimed = process_time(answer)
    if is_close(took(answer), claimed):
        return
    sentence = (
        f"{request_line(answer)} took {took(answer)}, but its {TIME_HEADER} is "
        f"{header_value(answer, TIME_HEADER)!r}; right are the seconds, to a millisecond."
    )
    hint = hint_for_time(took(answer), claimed)
    if other is not None and claimed == process_time(other) and claimed > seconds(0):
        sentence += f" An answer that took {took(other)} claims the same time."
        hint = "Does that number come from a clock, which is read before and after this request?"
    raise Hinted(sentence, hint)


def hint_for_time(right: Span, claimed: Span) -> str:
    """Return what to look at where a time is claimed that is not right."""
    if is_close(claimed, seconds(1000 * right / seconds(1))):
        return "Which unit does the task ask for, and in which one does time.perf_counter count?"
    if is_close(claimed, right + DELAY):
        return "What ends first, the answer or the work behind it? When do you read the clock?"
    if claimed == seconds(0):
        return "At which two moments do you read the clock: what lies between them?"
    if claimed < seconds(0.01):
        return "Which clock do you read? Does it go on while a request only waits?"
    if abs(claimed / seconds(1) - right / seconds(1)) < 1:
        return "To how many decimals do you write the time, and is it rounded before?"
    return "Between which two moments do you measure, and with which clock?"
