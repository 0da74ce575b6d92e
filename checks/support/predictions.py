"""Asking for predictions, and judging the answers: what every check of a prediction needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from checks.support.http import called, expect, field, json_of, mentions, off_the_road, shown
from ml_api_lab.check import Hinted

if TYPE_CHECKING:
    import httpx

FEATURES = ("sepal_length", "sepal_width", "petal_length", "petal_width")
MODELS = ("logistic_regression", "random_forest")


def named(features: Sequence[float]) -> dict[str, float]:
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
    body = features if isinstance(features, Mapping) else named(features)
    return await client.post(f"/predict/{model}", json=body, headers=headers)


def expect_prediction(response: httpx.Response, model: str, answer: int) -> None:
    """Assert that the answer is a 200 with that model's name and its prediction."""
    expect(response, 200)
    name = field(response, "model")
    assert name == model, (
        f"{called(response)} answered {json_of(response)}; right is the model {model!r}."
    )
    prediction = field(response, "prediction")
    assert type(prediction) is int, (
        f"{called(response)} answered the prediction {prediction!r}; "
        f"a whole number is right, here {answer}."
    )
    assert prediction == answer, (
        f"{called(response)} with {_body(response)} answered the prediction {prediction}; "
        f"the model {model} itself says {answer}."
    )


def expect_refusal(response: httpx.Response, *features: str, because: str) -> None:
    """Assert that the answer is a 422 that names each of these features.

    Args:
        because: what is wrong with them, as the rest of a sentence: "0 is not more than 0".
    """
    if response.status_code != 422:
        sentence = (
            f"{called(response)} with {_body(response)} answered {response.status_code}"
            f"{shown(response)}; right is 422, because {because}."
        )
        hint = off_the_road(response)
        raise Hinted(sentence, hint) if hint else AssertionError(sentence)
    unnamed = [each for each in features if not mentions(response, each)]
    assert not unnamed, (
        f"{called(response)} with {_body(response)} answered 422{shown(response)} without a word "
        f"of {' and '.join(unnamed)}; right is that it names every feature that is wrong."
    )


def _body(response: httpx.Response) -> str:
    return response.request.content.decode()
