"""Task 4.1: predictions are logged behind the answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from checks.support import prediction_log
from checks.support.http import expect, is_close, request_line
from checks.support.predictions import (
    MODELS,
    draw_features,
    expect_model_answer,
    features_by_name,
    predict,
)
from checks.support.probe import unshown
from checks.support.source import lines_with_name, where_it_stands
from checks.support.wording import joined
from ml_api_lab.check import (
    Clock,
    Hinted,
    Span,
    Task,
    answered_at,
    milliseconds,
    points,
    seconds,
    took,
)

if TYPE_CHECKING:
    import httpx

MODEL_TIMES = dict(zip(MODELS, (seconds(2), seconds(3)), strict=True))


@points(
    2, hint="What is the difference between calling a function and handing it to BackgroundTasks?"
)
async def test_the_answer_does_not_wait(task: Task, clock: Clock) -> None:
    """The answer comes before the log is written."""
    flower = draw_features(task)
    prediction_log.reset(task)
    async with task.serve() as client:
        # One after the other's line: what happens to several at once is another check's question.
        for count, model in enumerate(MODELS, start=1):
            before = prediction_log.text(task)
            answer = await predict(client, model, flower)
            expect(answer, 200)
            alone = MODEL_TIMES[model]
            assert is_close(took(answer), alone), (
                f"{request_line(answer)} took {took(answer)}; right is {alone}, "
                "as without a log: nobody waits for it. "
                f"{where_it_stands(task, 'log_prediction')}"
            )
            await prediction_log.wait_for_predictions(task, clock, count, since=before)


@points(2, hint="Where does the 5 s wait belong: into the endpoint, or into what runs behind it?")
async def test_the_line_comes_five_seconds_later(task: Task, clock: Clock) -> None:
    """The line is written 5 s after the answer."""
    prediction_log.reset(task)
    async with task.serve() as client:
        for count, model in enumerate(MODELS, start=1):
            before = prediction_log.text(task)
            answer = await predict(client, model, draw_features(task))
            expect(answer, 200)
            logged = await prediction_log.wait_for_predictions(task, clock, count, since=before)
            delay = logged - answered_at(answer)
            # An answer that waits for its line is another check's question, and so is a line that
            # comes in two pieces: its time is then that of the prediction, or of the second piece.
            predicted = answered_at(answer) - took(answer) + MODEL_TIMES[model]
            delays = [delay, logged - predicted]
            if delay < prediction_log.DELAY:
                begun = prediction_log.text(task)
                await asyncio.sleep((prediction_log.DELAY - delay + milliseconds(2)) / seconds(1))
                if prediction_log.text(task) != begun:
                    delays.append(prediction_log.DELAY)
            if not any(is_close(each, prediction_log.DELAY) for each in delays):
                raise await wrong_delay(task, clock, client, model, delay)


async def wrong_delay(
    task: Task, clock: Clock, client: httpx.AsyncClient, model: str, delay: Span
) -> Hinted:
    """Return the error of a line that comes too soon or too late, with the next ones' delays."""
    await asyncio.sleep(10)  # what is left of it, in case that it came in pieces
    next_delays = {}
    with unshown(task):
        for each in MODELS:
            before = prediction_log.text(task)
            answer = await predict(client, each, draw_features(task))
            logged = await prediction_log.wait_for_predictions(task, clock, 1, since=before)
            next_delays[each] = logged - answered_at(answer)
    told = joined([f"{each} after {next_delays[each]}" for each in MODELS])
    one, other = next_delays.values()
    if is_close(one, other):
        hint = "Which line of your logger waits before it writes, for how long, and is it awaited?"
    elif all(
        is_close(next_delays[each] + MODEL_TIMES[each], prediction_log.DELAY) for each in MODELS
    ):
        hint = "From which moment on does your logger wait: from the request, or from its answer?"
    else:
        hint = "Why does the wait depend on the model?"
    return Hinted(
        f"The line was in {prediction_log.FILE} {delay} after the answer of {model}; right is "
        f"{prediction_log.DELAY}. Asked again, the line of {told}. "
        f"{where_it_stands(task, 'sleep')}",
        hint,
    )


@points(2, hint="Which kind of sleep does an async function need so that the loop stays free?")
async def test_no_other_request_waits(task: Task, clock: Clock) -> None:
    """Other requests are answered while the log waits."""
    flower = draw_features(task)
    prediction_log.reset(task)
    async with task.serve() as client:
        first = await predict(client, "logistic_regression", flower)
        expect(first, 200)
        await asyncio.sleep(1)
        health, prediction = await asyncio.gather(
            client.get("/health"), predict(client, "logistic_regression", flower)
        )
        for answer, alone in ((health, seconds(0)), (prediction, took(first))):
            expect(answer, 200)
            assert is_close(took(answer), alone), (
                f"{request_line(answer)}, sent 1 s after a prediction's answer, took "
                f"{took(answer)}; right is {alone}, while the log of that prediction waits. "
                f"{where_it_stands(task, 'sleep')}"
            )
        # Also in the last moments before the first line, which comes 2 s after the prediction.
        for pause, before in ((1.3, 0.7), (0.65, 0.05)):
            await asyncio.sleep(pause)
            health = await client.get("/health")
            assert is_close(took(health), seconds(0)), (
                f"{request_line(health)}, sent {before} s before a line is due, took "
                f"{took(health)}; right is at once, until the line is there. "
                f"{where_it_stands(task, 'sleep')}"
            )
        await prediction_log.wait_for_predictions(task, clock, 2, since="")


def _draw_flowers(task: Task) -> dict[str, list[float]]:
    """Draw a flower for each model, with more decimals than a log might keep.

    The models answer them differently, so that no prediction fits both.
    """
    while True:
        flowers = {
            model: [round(each + 0.01234, 5) for each in draw_features(task)] for model in MODELS
        }
        if len({task.models.answer(model, flower) for model, flower in flowers.items()}) > 1:
            return flowers


@points(
    2,
    hint="Print what your logger gets. Which of the three keys does it lack, misname or fill with "
    "something else?",
)
async def test_a_line_tells_the_prediction(task: Task, clock: Clock) -> None:
    """A line holds the model, the features and the prediction."""
    flowers = _draw_flowers(task)
    prediction_log.reset(task)
    by_default: tuple[str, dict[str, float], list[float]] = (MODELS[0], {}, [5.1, 3.5, 1.4, 0.2])
    requests = [(model, features_by_name(flower), flower) for model, flower in flowers.items()]
    async with task.serve() as client:
        for count, (model, body, flower) in enumerate([*requests, by_default], start=1):
            before = prediction_log.text(task)
            answer = await predict(client, model, body)
            right = task.models.answer(model, flower)
            expect_model_answer(task, answer, model, flower, exact=True)
            await prediction_log.wait_for_predictions(task, clock, count, since=before)
            await asyncio.sleep(6)  # it may come in pieces
            prediction_log.expect_record(task, model, flower, right)
    prediction_log.expect_line_endings(task)


@points(1, hint="At which line of the endpoint is it certain that there is a prediction?")
async def test_only_predictions_are_logged(task: Task, clock: Clock) -> None:
    """A refused or failed request leaves no line."""
    flower = draw_features(task)
    task.models.fail("random_forest")
    prediction_log.reset(task)
    async with task.serve() as client:
        good, unknown, invalid, failed = await asyncio.gather(
            predict(client, "logistic_regression", flower),
            predict(client, "no_such_model", flower),
            predict(client, "logistic_regression", {"sepal_length": "abc"}),
            predict(client, "random_forest", flower),
        )
        expect(good, 200)
        expect(unknown, 404, 422, because="there is no such model")
        expect(invalid, 422, because="'abc' is no number")
        assert failed.status_code >= 400, (
            f"{request_line(failed)} answered {failed.status_code}, though the model raised an "
            "error; right is an error, such as 500."
        )
        await prediction_log.wait_for_predictions(task, clock, 1)
        # Time enough for the lines that should not come.
        await asyncio.sleep(6)
    prediction_log.expect_line_count(
        task,
        1,
        "of the four requests one was answered with a prediction, and three with errors",
        exact=False,
    )


@points(
    1, hint="Into how many pieces is a line cut on its way into the file, and who may come between?"
)
async def test_each_line_is_whole(task: Task, clock: Clock) -> None:
    """Predictions at the same time leave one whole line each."""
    flowers = [(model, draw_features(task)) for model in MODELS for _ in range(10)]
    earlier = '{"note": "the check has put this line here"}'
    prediction_log.reset(task, earlier)
    first_model, first_flower = MODELS[0], draw_features(task)
    first_right = task.models.answer(first_model, first_flower)
    async with task.serve() as client:
        expect(await predict(client, first_model, first_flower), 200)
        await asyncio.sleep(8)
        # What is wrong of a line alone is another check's question.
        has_lines = not _raises(lambda: prediction_log.expect_lines(task))
        tells_rightly = not _raises(
            lambda: prediction_log.expect_record(
                task, first_model, first_flower, first_right, exact=False
            )
        )
        answers = await asyncio.gather(
            *(predict(client, model, flower) for model, flower in flowers)
        )
        for answer in answers:
            expect(answer, 200)
        # The last of them answers at 3 s, and the log may write a while at a line.
        await asyncio.sleep(8)
    if has_lines:
        prediction_log.expect_lines(task)
    if tells_rightly:
        with_line = [each for each in flowers if _has_line(task, *each)]
        if len(with_line) < len(flowers):
            has_first = _has_line(task, first_model, first_flower)
            raise await lost_lines(task, clock, len(flowers), len(with_line), has_first=has_first)
    prediction_log.expect_addition(task, earlier)
    try:
        prediction_log.expect_line_count(
            task,
            len(flowers) + 2,
            f"there were {len(flowers)} predictions at the same time, one before them, and one "
            "line before that",
            exact=has_lines,
        )
    except AssertionError:
        written = len(prediction_log.entries(task))
        if written != len(flowers) + 1 or earlier in prediction_log.text(task):
            raise
        raise await earlier_line_lost(task, earlier, written) from None


def _has_line(task: Task, model: str, flower: list[float]) -> bool:
    right = task.models.answer(model, flower)
    return not _raises(
        lambda: prediction_log.expect_record(task, model, flower, right, exact=False)
    )


async def lost_lines(
    task: Task, clock: Clock, count: int, with_line: int, *, has_first: bool
) -> Hinted:
    """Return the error of predictions at the same time that have no line: whether one comes later.

    Args:
        count: how many there were.
        with_line: how many of them have a line.
        has_first: whether the one before them still has its line.
    """
    sentence = (
        f"Of {count} predictions at the same time only {with_line} "
        f"{'has' if with_line == 1 else 'have'} a line in {prediction_log.FILE} after 8 s; right "
        "is a line for each."
    )
    if not has_first:
        return Hinted(
            f"{sentence} The one before them has lost its line as well. {where_it_opens(task)}",
            "In which mode does your logger open the file, and what becomes of the lines in it?",
        )
    prediction_log.reset(task)
    with unshown(task):
        async with task.serve() as client:
            answers = await asyncio.gather(
                *(predict(client, model, draw_features(task)) for model in MODELS * (count // 2))
            )
            last_answer = max(map(answered_at, answers))
            while len(prediction_log.lines(task)) < count and clock.now < last_answer + seconds(20):
                await asyncio.sleep(1)
            last_line = clock.now - last_answer
    if len(prediction_log.lines(task)) >= count:
        return Hinted(
            f"{sentence} Asked again, all of them have one, the last after {last_line}.",
            "What do the loggers share while they wait, of which only so many can have it at a "
            "time: a lock, a semaphore, the threads of a pool?",
        )
    return Hinted(
        f"{sentence} The others never get one. {where_it_opens(task)}",
        "What does your logger look at before it writes: what the file holds, or where it ends? "
        "Another one may write in between. Which mode of open always writes at the end?",
    )


def where_it_opens(task: Task) -> str:
    """Return the lines of code that may read or write the log, two at most, as a sentence."""
    found = [
        line
        for line in lines_with_name(task, "open", "read_text", "write_text")
        if '"rb"' not in line  # a model's file
    ]
    return f"A file is used in {' and '.join(found[:2])}." if found else ""


async def earlier_line_lost(task: Task, earlier: str, written: int) -> Hinted:
    """Return the error of a line that the file held before the start: when it went.

    Args:
        written: how many other lines the file has now.
    """
    prediction_log.reset(task, earlier)
    with unshown(task):
        async with task.serve():
            is_kept = earlier in prediction_log.lines(task)
    moment = (
        "It was still there when the application had started"
        if is_kept
        else "It was gone when the application had started, before any prediction"
    )
    return Hinted(
        f"{prediction_log.FILE} has {written} lines, one for each prediction, and the line that "
        f"was in it before is gone; right is that it stays. {moment}. {where_it_opens(task)}",
        "From where does your logger take what it writes anew: from the file, or from a variable?"
        if is_kept
        else "What does your code do with the file when it is imported, or when it starts?",
    )


def _raises(assertion: Callable[[], None]) -> bool:
    try:
        assertion()
    except AssertionError:
        return True
    return False
