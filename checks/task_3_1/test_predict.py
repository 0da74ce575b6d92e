"""Checks of task 3.1: the named model's own answer, and what is no prediction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.support.http import (
    body_excerpt,
    expect,
    json_body,
    json_field,
    names_field,
    request_line,
    routing_hint,
)
from checks.support.predictions import (
    FEATURES,
    MODELS,
    draw_features,
    expect_class,
    expect_prediction,
    expect_unprocessable,
    features_by_name,
    predict,
    what_was_asked,
)
from checks.support.probe import unshown
from checks.task_3_1.causes import (
    answers_to_each_class,
    asked_of_each_class,
    compared_with_stand_ins,
    name_hint,
    names_served,
    prediction_of,
    wrong_row,
)
from checks.task_3_1.trained_models import place_trained_models
from ml_api_lab.check import Hinted, Task, points, scikit_learn

if TYPE_CHECKING:
    import httpx

UNNAMED = (
    "Who writes this answer, FastAPI or your code? FastAPI's own says in each loc which field is "
    "wrong."
)
# One flower of each class from the Iris data, which no fair model takes for another.
IRIS = ([5.1, 3.5, 1.4, 0.2], [7.0, 3.2, 4.7, 1.4], [6.3, 3.3, 6.0, 2.5])


@points(2, hint="Which of the loaded models has the name that stands in the path?")
async def test_each_name_asks_its_own_model(task: Task) -> None:
    """Each name is answered by its own model."""
    async with task.serve() as client:
        for _ in range(2):
            flower = task.models.features_where_models_differ()
            for model in MODELS:
                await _expect_own_answer(task, client, model, flower)
        for model in MODELS * 4:
            await _expect_own_answer(task, client, model, _whole_and_decimal(task))


async def _expect_own_answer(
    task: Task, client: httpx.AsyncClient, model: str, flower: list[float]
) -> None:
    """Assert that the named model was asked, and that its answer is told.

    In which order it got the features, and whether its answer can be sent at all, are questions of
    other checks: what it was asked is read in its journal.
    """
    before = len(task.models.calls)
    response = await predict(client, model, flower)
    calls = task.models.calls[before:]
    own = len(calls) == 1 and calls[0].model == model
    if response.status_code >= 500 and own:
        return
    asked = what_was_asked(calls, model, flower)
    if len(calls) == 1 and not own:
        other, before = calls[0].model, len(task.models.calls)
        with unshown(task):
            await predict(client, other, flower)
        asked_for_other = [call.model for call in task.models.calls[before:]]
        if asked_for_other == [model]:
            asked = asked._replace(sentence=f"{asked.sentence} For {other} it asks {model}.")
        elif asked_for_other == [other]:
            asked = asked._replace(sentence=f"{asked.sentence} For {other} it asks the same.")
    row = calls[0].rows[0] if own and len(calls[0].rows) == 1 else flower
    is_right_row = own and _rounded(row) == flower
    if sorted(_rounded(row)) == sorted(flower):
        flower = row
    right = task.models.answer(model, flower)
    if response.status_code == 200:
        _expect_name(response, model)
        if is_right_row and prediction_of(response) != right:
            asked = await asked_of_each_class(task, client, model, asked)
    elif response.status_code in (400, 422) and not routing_hint(response):
        raise Hinted(
            f"{request_line(response)} with {response.request.content.decode()} answered "
            f"{response.status_code}{body_excerpt(response)}; right is 200, with a prediction.",
            "Which of these numbers does your code refuse, and what does it take for a number?",
        )
    expect_prediction(response, model, right, asked=asked)


def _expect_name(response: httpx.Response, model: str) -> None:
    """Assert that the answer names the model that was asked for."""
    content = json_body(response)
    if not isinstance(content, dict) or content.get("model") != model:
        raise Hinted(
            f"{request_line(response)} answered {content}; right is a JSON object with the "
            f"model {model!r} and its prediction.",
            "Which two keys does your answer have, and what do you write under 'model'?",
        )


@points(2, hint="In which order do the numbers stand in the row that the model gets?")
async def test_features_keep_their_order(task: Task) -> None:
    """The model gets the features in their order, however the JSON is ordered."""
    async with task.serve() as client:
        for model in MODELS:
            for flower in task.models.features_that_show_their_order(model):
                fields = list(features_by_name(flower).items())
                task.draw.shuffle(fields)
                before = len(task.models.calls)
                response = await predict(client, model, dict(fields))
                rows = [row for call in task.models.calls[before:] for row in call.rows]
                if rows and all(_rounded(row) == flower for row in rows):
                    continue  # what became of the model's answer is another check's question
                expect(response, 200)
                json_field(response, "prediction")
                right = task.models.answer(model, flower)
                if prediction_of(response) != right:
                    raise await wrong_row(task, client, model, response, rows, flower, right)


@points(1, hint="Of which type is an element of what a model's predict returns?")
async def test_prediction_is_a_whole_number(task: Task) -> None:
    """The prediction is a plain whole number, for every class."""
    async with task.serve() as client:
        for model in MODELS:
            for right, flower in enumerate(task.models.features_of_each_class(model)):
                response = await predict(client, model, flower)
                because = f"the model says {right}, a whole number"
                if response.status_code >= 500 and right == 0:
                    await _expect_other_classes_fail(task, client, model, response, because)
                expect(response, 200, because=because, is_tested=True)
                seen = json_field(response, "prediction")
                sentence = (
                    f"{request_line(response)} answered the prediction {seen!r}; "
                    f"right is the whole number {right}."
                )
                if type(seen) is float:
                    raise Hinted(
                        sentence,
                        "Which step makes a decimal number of it: your conversion, or the type "
                        "with which the answer is declared?",
                    )
                assert type(seen) is int, sentence


async def _expect_other_classes_fail(
    task: Task, client: httpx.AsyncClient, model: str, response: httpx.Response, because: str
) -> None:
    """Assert that an answer of class 0 is not the only one that has failed."""
    others = task.models.features_of_each_class(model)[1:]
    if None not in await answers_to_each_class(task, client, model, others):
        raise Hinted(
            f"{request_line(response)} answered {response.status_code}{body_excerpt(response)}; "
            f"right is 200, because {because}. Where it says 1 or 2, the answer has a prediction.",
            "What is 0 in an `if` or an `or`: true or false?",
        )


@points(2, hint="Which exception lets an endpoint answer with a status of your choosing?")
async def test_unknown_models_are_refused(task: Task) -> None:
    """A name that no model has is answered with 404 or 422 and a detail."""
    unknown = (
        *(f"svm_{task.draw.randint(10, 99)}", "random", "forest", "models"),
        *(f"{MODELS[0]}_2", f"my_{MODELS[1]}", "Random_Forest", "random-forest"),
        *("_state", "__class__"),  # where an attribute is taken for a model
    )
    flower = draw_features(task)
    async with task.serve() as client:
        for model in unknown:
            response = await predict(client, model, flower)
            try:
                expect(response, 404, 422, because=f"there is no model {model!r}")
            except AssertionError as failed:
                is_alike = model not in unknown[:1]
                hint = name_hint(response, model, is_alike=is_alike)
                told = str(failed)
                if is_alike and response.is_success:
                    told += f" {await names_served(task, client, flower, MODELS[1])}"
                raise (Hinted(told, hint) if hint else failed) from None
            content = json_body(response)
            if not isinstance(content, dict) or not content.get("detail"):
                raise Hinted(
                    f"{request_line(response)} answered {response.status_code} with {content}; "
                    "right is a JSON object with a 'detail' that says why.",
                    "Under which key does FastAPI's HTTPException say why, and who writes yours?",
                )
        # A path that does not exist at all would be refused as well.
        for model in MODELS:
            before = len(task.models.calls)
            response = await predict(client, model, flower)
            if len(task.models.calls) > before:
                continue  # it was served, whatever became of the answer
            expect(
                response, 200, because="that others are refused counts only if this one is served"
            )


@points(1, hint="What makes a field of a pydantic model required?")
async def test_missing_features_are_refused(task: Task) -> None:
    """A missing feature is answered with 422, by its name."""
    async with task.serve() as client:
        for missing in FEATURES:
            body = features_by_name(task.models.features())
            del body[missing]
            model, before = task.draw.choice(MODELS), len(task.models.calls)
            response = await predict(client, model, body)
            try:
                expect_unprocessable(
                    response, missing, because=f"{missing} is missing", hint_if_unnamed=UNNAMED
                )
            except AssertionError as failed:
                calls = task.models.calls[before:]
                if isinstance(failed, Hinted) or not calls:
                    raise
                asked = what_was_asked(calls, model, list(body.values()))
                raise AssertionError(f"{failed} {asked.sentence}".rstrip()) from None


@points(1, hint="What does pydantic do with a word in a field that is declared as a float?")
async def test_words_are_refused(task: Task) -> None:
    """A word in place of a number is answered with 422, by the feature's name."""
    async with task.serve() as client:
        for wrong in FEATURES:
            body = features_by_name(draw_features(task))
            without = {name: value for name, value in body.items() if name != wrong}
            missing = await predict(client, MODELS[0], without)
            # Where a missing feature is refused without its name, another check says so.
            is_silent = missing.status_code == 422 and not names_field(missing, wrong)
            named = () if is_silent else (wrong,)
            for word in ("wide", "12cm", "4,5", ""):
                response = await predict(client, task.draw.choice(MODELS), body | {wrong: word})
                expect_unprocessable(
                    response,
                    *named,
                    because=f"{wrong} is not a number",
                    hint_if_unnamed=UNNAMED,
                )


@points(1, hint="What shape does the table have that scikit-learn's predict takes?")
@scikit_learn
async def test_trained_models_are_served(task: Task) -> None:
    """Models trained by scikit-learn tell the three kinds of Iris apart."""
    if task.files.contains("main.py", b"NotImplementedError"):
        await _expect_more_than_the_stub(task)
    await place_trained_models(task)
    async with task.serve() as client:
        for model in MODELS:
            for right, flower in enumerate(IRIS):
                response = await predict(client, model, flower)
                if not right and response.status_code >= 500:
                    continue  # that class 0 is an answer is another check's question
                expect(response, 200, is_tested=True)
                try:
                    expect_class(response, model, right)
                except AssertionError as failed:
                    # Real models keep no journal of what they are asked.
                    answers = await answers_to_each_class(task, client, model, IRIS)
                    raise await compared_with_stand_ins(
                        task, failed, model, flower, answers
                    ) from None


async def _expect_more_than_the_stub(task: Task) -> None:
    """Assert that an answer is written: for a stub, no models need be trained and loaded."""
    async with task.serve() as client:
        response = await predict(client, MODELS[0], IRIS[0])
    if any(raised.type == "NotImplementedError" for raised in task.transcript.raised):
        expect(response, 200, is_tested=True)


def _rounded(row: list[float]) -> list[float]:
    """Return a row to three decimals: 32-bit floats are as good."""
    return [round(each, 3) for each in row]


def _whole_and_decimal(task: Task) -> list[float]:
    """Draw a flower whose numbers have no decimals at all, or two."""
    drawn = task.draw.sample(range(1, 10), len(FEATURES))
    fine = task.draw.sample(range(len(FEATURES)), 2)
    return [each + 0.25 if place in fine else each for place, each in enumerate(drawn)]
