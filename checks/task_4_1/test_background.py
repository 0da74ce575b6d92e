"""Task 4.1: predictions are logged behind the answers."""

from __future__ import annotations

import asyncio

from checks.support import prediction_log
from checks.support.http import expect, is_close, request_line
from checks.support.predictions import MODELS, draw_features, expect_prediction, predict
from ml_api_lab.check import Clock, Task, answered_at, points, seconds, took


@points(
    2, hint="What is the difference between calling a function and handing it to BackgroundTasks?"
)
async def test_the_answer_does_not_wait(task: Task, clock: Clock) -> None:
    """The answer comes before the log is written."""
    flower = draw_features(task)
    prediction_log.reset(task)
    async with task.serve() as client:
        answers = await asyncio.gather(*(predict(client, model, flower) for model in MODELS))
        for answer, alone in zip(answers, (seconds(2), seconds(3)), strict=True):
            expect(answer, 200)
            assert is_close(took(answer), alone), (
                f"{request_line(answer)} took {took(answer)}; right is {alone}, "
                "as without a log: nobody waits for it."
            )
        await prediction_log.wait_for_predictions(task, clock, 2)


@points(2, hint="Where does the 5 s wait belong: into the endpoint, or into what runs behind it?")
async def test_the_line_comes_five_seconds_later(task: Task, clock: Clock) -> None:
    """The line is written 5 s after the answer."""
    prediction_log.reset(task)
    async with task.serve() as client:
        for count, model in enumerate(MODELS, start=1):
            answer = await predict(client, model, draw_features(task))
            expect(answer, 200)
            delay = await prediction_log.wait_for_predictions(task, clock, count) - answered_at(
                answer
            )
            if not is_close(delay, prediction_log.DELAY):
                prediction_log.records(task)  # a list over many lines is told as that
            assert is_close(delay, prediction_log.DELAY), (
                f"The line was in {prediction_log.FILE} {delay} after the answer of {model}; "
                f"right is {prediction_log.DELAY}."
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
                f"{took(answer)}; right is {alone}, while the log of that prediction waits."
            )
        # Also in the last moments before the first line, which comes 2 s after the prediction.
        for pause, before in ((1.3, 0.7), (0.65, 0.05)):
            await asyncio.sleep(pause)
            health = await client.get("/health")
            assert is_close(took(health), seconds(0)), (
                f"{request_line(health)}, sent {before} s before a line is due, took "
                f"{took(health)}; right is at once, until the line is there."
            )
        await prediction_log.wait_for_predictions(task, clock, 2)


@points(
    2,
    hint="Print what your logger gets. Which of the three keys does it lack, misname or fill with "
    "something else?",
)
async def test_a_line_tells_the_prediction(task: Task, clock: Clock) -> None:
    """A line holds the model, the features and the prediction."""
    # With more decimals than a log might keep.
    flowers = {
        model: [round(each + 0.01234, 5) for each in draw_features(task)] for model in MODELS
    }
    prediction_log.reset(task)
    async with task.serve() as client:
        answers = await asyncio.gather(
            *(predict(client, model, flower) for model, flower in flowers.items())
        )
        by_default = await predict(client, MODELS[0], {})
        await prediction_log.wait_for_predictions(task, clock, len(flowers) + 1)
    requests = [*flowers.items(), (MODELS[0], [5.1, 3.5, 1.4, 0.2])]
    for answer, (model, flower) in zip([*answers, by_default], requests, strict=True):
        right = task.models.answer(model, flower)
        expect_prediction(answer, model, right, exact=True)
        prediction_log.expect_record(task, model, flower, right)


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
        task, 1, "of the four requests one was answered with a prediction, and three with errors"
    )


@points(
    1, hint="Into how many pieces is a line cut on its way into the file, and who may come between?"
)
async def test_each_line_is_whole(task: Task, clock: Clock) -> None:
    """Predictions at the same time leave one whole line each."""
    flowers = [(model, draw_features(task)) for model in MODELS for _ in range(10)]
    prediction_log.reset(task, '{"note": "the check has put this line here"}')
    async with task.serve() as client:
        answers = await asyncio.gather(
            *(predict(client, model, flower) for model, flower in flowers)
        )
        for answer in answers:
            expect(answer, 200)
        # The last of them answers at 3 s, and the log may write a while at a line.
        await asyncio.sleep(8)
    for model, flower in flowers:
        right = task.models.answer(model, flower)
        prediction_log.expect_record(task, model, flower, right, exact=False)
    prediction_log.expect_line_count(
        task,
        len(flowers) + 1,
        f"there were {len(flowers)} predictions, at the same time, and one line before them",
    )
    prediction_log.expect_line_endings(task)
