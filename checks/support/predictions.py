"""Asking for predictions, and judging the answers: what every check of a prediction needs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from checks.support.http import (
    body_excerpt,
    expect,
    json_body,
    json_field,
    names_field,
    request_line,
    routing_hint,
)
from ml_api_lab.check import FAILS, Call, Hinted, answered_at, took

if TYPE_CHECKING:
    import httpx

    from ml_api_lab.check import Task

FEATURES = ("sepal_length", "sepal_width", "petal_length", "petal_width")
MODELS = ("logistic_regression", "random_forest")


def features_by_name(features: Sequence[float]) -> dict[str, float]:
    """Return four numbers under their names, as a request's body has them."""
    return dict(zip(FEATURES, features, strict=True))


async def predict(
    client: httpx.AsyncClient,
    model: str,
    features: Sequence[float] | Mapping[str, object],
    headers: Mapping[str, str] | Mapping[bytes, bytes] | None = None,
) -> httpx.Response:
    """Ask a model for a prediction.

    Args:
        features: the four numbers in order, or the body as it shall be sent.
    """
    body = features if isinstance(features, Mapping) else features_by_name(features)
    return await client.post(f"/predict/{model}", json=body, headers=headers)


class Asked(NamedTuple):
    """Which model was asked for a prediction, with which row, as a sentence; a hint that follows.

    Either is empty where nothing is known of it.
    """

    sentence: str = ""
    hint: str = ""


_NOT_KNOWN = Asked()


def _calls_during(task: Task, response: httpx.Response) -> list[Call]:
    """Return the calls of models between a request and its answer, whoever made them."""
    end = answered_at(response)
    return [call for call in task.models.calls if end - took(response) <= call.at <= end]


def what_was_asked(calls: Sequence[Call], model: str, features: Sequence[float]) -> Asked:
    """Return what was asked where that model should have been asked with these features.

    Args:
        calls: those that may have been made for the prediction. Of several it is not known which
            one was.
    """
    if not calls:
        return Asked(
            "No model was asked between the request and its answer.",
            "Which line of your endpoint asks a model, and does this request come to it?",
        )
    if len(calls) > 1:
        own = [call for call in calls if call.model == model]
        if any(_is_row(call, features) for call in own):
            return _NOT_KNOWN
        never = f"asked {model}, but never with these features" if own else f"did not ask {model}"
        return Asked(f"Your code {never}.")
    call = calls[0]
    is_right_row = _is_row(call, features)
    row = "these features" if is_right_row else _rows_text(call)
    sentence = f"Your code asked {call.model} with {row}."
    if call.model != model:
        return Asked(sentence, "Which of the loaded models has the name that stands in the path?")
    if is_right_row:
        return Asked(sentence, "What does your code make of what the model's predict returns?")
    return Asked(
        sentence,
        "What becomes of the numbers on their way from the request's body to the row that the "
        "model gets?",
    )


def _is_row(call: Call, features: Sequence[float]) -> bool:
    """Whether a model was asked with these features; 32-bit floats are as good."""
    if [len(row) for row in call.rows] != [len(features)]:
        return False
    return all(map(_is_float_of, call.rows[0], features))


def _is_float_of(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=1e-6)


def _rows_text(call: Call) -> str:
    if len(call.rows) != 1:
        return f"{len(call.rows)} rows" if call.rows else "no table of numbers"
    return f"the row [{', '.join(f'{round(each, 7):.10g}' for each in call.rows[0])}]"


def expect_prediction(
    response: httpx.Response,
    model: str,
    answer: int,
    *,
    exact: bool = False,
    asked: Asked = _NOT_KNOWN,
) -> None:
    """Assert that the answer is a 200 with that model's name and its prediction.

    Args:
        exact: whether the prediction has to be a plain whole number. One check of a task asks for
            that; the others read `[2]`, `2.0` and `"2"` as 2.
        asked: what the models were asked for it, to be told where another answer would be right.
    """
    expect(response, 200)
    name = json_field(response, "model")
    assert name == model, (
        f"{request_line(response)} answered {json_body(response)}; right is the model {model!r}."
    )
    expect_class(response, model, answer, exact=exact, asked=asked)


def expect_model_answer(
    task: Task,
    response: httpx.Response,
    model: str,
    features: Sequence[float],
    *,
    exact: bool = False,
) -> None:
    """Assert that the answer is what that stand-in for a model says of these features."""
    asked = what_was_asked(_calls_during(task, response), model, features)
    right = task.models.answer(model, list(features))
    expect_prediction(response, model, right, exact=exact, asked=asked)


def expect_class(
    response: httpx.Response,
    model: str,
    answer: int,
    *,
    exact: bool = False,
    asked: Asked = _NOT_KNOWN,
) -> None:
    """Assert that the answer has that class as its prediction, whatever model it names."""
    prediction = json_field(response, "prediction")
    seen = prediction if exact else as_class(prediction)
    assert type(seen) is int, (
        f"{request_line(response)} answered the prediction {prediction!r}; "
        f"a whole number is right, here {answer}."
    )
    if seen == answer:
        return
    sentence = (
        f"{request_line(response)} with {_request_body(response)} answered the prediction "
        f"{prediction}; the model {model} itself says {answer}. {asked.sentence}"
    ).rstrip()
    raise Hinted(sentence, asked.hint) if asked.hint else AssertionError(sentence)


def as_class(prediction: object) -> object:
    """Return the class that a prediction means: 2 for `[2]`, `2.0` and `"2"`, else as it is."""
    if isinstance(prediction, list) and len(prediction) == 1:
        return as_class(prediction[0])
    if isinstance(prediction, str | float):
        try:
            number = float(str(prediction).strip(" []"))
        except ValueError:
            return prediction
        return int(number) if number.is_integer() else prediction
    return prediction


def draw_features(task: Task) -> list[float]:
    """Draw a flower that asks for nothing but a prediction.

    Its measures lie well within the limits of 3.3, and no model takes it for class 0: limits and
    class 0 have checks of their own.
    """
    while True:
        drawn = [each / 10 for each in task.draw.sample(range(11, 70), len(FEATURES))]
        if all(task.models.answer(model, drawn) for model in MODELS):
            return drawn


def hide_model_failures(task: Task) -> None:
    """Leave out of the card what was raised since the check had told a model to fail."""
    raised = task.transcript.raised
    raised[:] = [each for each in raised if FAILS not in each.text]


def expect_unprocessable(
    response: httpx.Response, *features: str, because: str, hint_if_unnamed: str = ""
) -> None:
    """Assert that the answer is a 422 that names each of these features.

    Args:
        because: what is wrong with them, as the rest of a sentence: "0 is not more than 0".
        hint_if_unnamed: what to ask, in place of the check's own, of a 422 that names not all.
    """
    if response.status_code != 422:
        sentence = (
            f"{request_line(response)} with {_request_body(response)} answered "
            f"{response.status_code}{body_excerpt(response)}; right is 422, because {because}."
        )
        hint = routing_hint(response)
        raise Hinted(sentence, hint) if hint else AssertionError(sentence)
    unnamed = [each for each in features if not names_field(response, each)]
    if unnamed:
        sentence = (
            f"{request_line(response)} with {_request_body(response)} answered "
            f"422{body_excerpt(response)} without a word of {' and '.join(unnamed)}; right is that "
            "it names every feature that is wrong."
        )
        raise Hinted(sentence, hint_if_unnamed) if hint_if_unnamed else AssertionError(sentence)


def _request_body(response: httpx.Response) -> str:
    return response.request.content.decode()
