"""Asking for predictions, and judging the answers: what every check of a prediction needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from ml_api_lab.check import Hinted

if TYPE_CHECKING:
    import httpx

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


def expect_prediction(response: httpx.Response, model: str, answer: int) -> None:
    """Assert that the answer is a 200 with that model's name and its prediction."""
    expect(response, 200)
    name = json_field(response, "model")
    assert name == model, (
        f"{request_line(response)} answered {json_body(response)}; right is the model {model!r}."
    )
    prediction = json_field(response, "prediction")
    assert type(prediction) is int, (
        f"{request_line(response)} answered the prediction {prediction!r}; "
        f"a whole number is right, here {answer}."
    )
    assert prediction == answer, (
        f"{request_line(response)} with {_request_body(response)} answered the prediction "
        f"{prediction}; the model {model} itself says {answer}."
    )


def expect_unprocessable(response: httpx.Response, *features: str, because: str) -> None:
    """Assert that the answer is a 422 that names each of these features.

    Args:
        because: what is wrong with them, as the rest of a sentence: "0 is not more than 0".
    """
    if response.status_code != 422:
        sentence = (
            f"{request_line(response)} with {_request_body(response)} answered "
            f"{response.status_code}{body_excerpt(response)}; right is 422, because {because}."
        )
        hint = routing_hint(response)
        raise Hinted(sentence, hint) if hint else AssertionError(sentence)
    unnamed = [each for each in features if not names_field(response, each)]
    assert not unnamed, (
        f"{request_line(response)} with {_request_body(response)} answered "
        f"422{body_excerpt(response)} without a word of {' and '.join(unnamed)}; right is that it "
        "names every feature that is wrong."
    )


def _request_body(response: httpx.Response) -> str:
    return response.request.content.decode()
