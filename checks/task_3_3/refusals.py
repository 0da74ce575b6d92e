"""What a refusal tells of its cause, and one that came too late, or not at all.

All of this is asked only after a failure, for its sentence and its hint.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from checks.support.http import body_excerpt, json_body, names_field, request_line, routing_hint
from checks.support.predictions import FEATURES, MODELS, predict
from checks.support.probe import unshown
from checks.support.wording import joined
from checks.task_3_3.schema import body_schema
from ml_api_lab.check import Hinted, seconds, took

if TYPE_CHECKING:
    import httpx

    from ml_api_lab.check import Task

DEFAULTS = dict(zip(FEATURES, (5.1, 3.5, 1.4, 0.2), strict=True))

_LIMITS = ("exclusiveMinimum", "minimum", "exclusiveMaximum", "maximum", "multipleOf")
_MAX_ANSWER_CHARACTERS = 120


def refusal_text(response: httpx.Response) -> str:
    """Return what a refusal says of each feature, for a sentence, or its body as it is."""
    try:
        content = json_body(response)
    except AssertionError:
        return body_excerpt(response)
    detail = content.get("detail") if isinstance(content, dict) else None
    if not isinstance(detail, list) or not all(
        isinstance(each, dict) and each.get("loc") and "msg" in each for each in detail
    ):
        return body_excerpt(response)
    told = [f"{each['loc'][-1]}: {each['msg']}" for each in detail]
    return f" ({'; '.join(told)})"


async def not_refused(
    task: Task,
    client: httpx.AsyncClient,
    sentence: str,
    name: str,
    value: object,
    accepted: Mapping[str, Sequence[object]],
    refused: Sequence[object],
) -> AssertionError:
    """Return the error of a value that was let through: which others are, in which features.

    Args:
        accepted: the values that were predicted, or ended in a 500, of each feature.
        refused: the values of this feature that were refused.
    """
    values = accepted[name]
    alike = [each for each in FEATURES if each != name and accepted[each] == values]
    sentence += f" {name} lets {_shown(values)} through"
    sentence += f" and refuses {_shown(refused)}" if refused else ""
    sentence += f"; so {'does' if len(alike) == 1 else 'do'} {joined(alike)}." if alike else "."
    with unshown(task):
        given = await _given_to_model(task, client, name, value)
        limits = await _limits_shown(client, name)
    if given is not None:
        return Hinted(
            f"{sentence} The model was given {given} in its place.",
            "Which code of yours puts another value in the place of the one that was sent?",
        )
    sentence += f" /openapi.json shows of {name} {limits}."
    hint = _hint_for_accepted(values, refused)
    return Hinted(sentence, hint) if hint else AssertionError(sentence)


def _hint_for_accepted(values: Sequence[object], refused: Sequence[object]) -> str:
    """Return what to ask of a feature that accepts these values, "" for the check's own hint."""
    if list(values) in ([0], [10]):
        return ""
    if list(values) == ["NaN"]:
        return "Every comparison with NaN is false. Which one should have refused it?"
    if None in values:
        return "Of which types may this feature be, beside a number?"
    if "abc" in values:
        return "Of which type is this feature, and who looks whether it is a number?"
    if "Infinity" in values or "-Infinity" in values:
        return "What refuses a number that is infinite?"
    if 0 in refused:
        return "0 itself is refused. And what refuses a number that is less?"
    if -7 in values or -0.1 in values:
        return "Which limit has this feature from below?"
    return "Which limit has this feature from above?"


def _shown(values: Sequence[object]) -> str:
    return joined([json.dumps(each) for each in values])


async def _given_to_model(
    task: Task, client: httpx.AsyncClient, name: str, value: object
) -> float | None:
    """Return what a model is given for that value, None if that is the value, or not known."""
    before = len(task.models.calls)
    await predict(client, MODELS[0], {**DEFAULTS, name: value})
    rows = [row for call in task.models.calls[before:] for row in call.rows]
    if len(rows) != 1 or len(rows[0]) != len(FEATURES):
        return None
    given = rows[0][FEATURES.index(name)]
    return given if math.isfinite(given) and given != value else None


async def _fields_shown(client: httpx.AsyncClient) -> dict[str, dict[str, Any]]:
    """Return what /openapi.json says of each field, {} if it cannot be read: another's question."""
    try:
        return await body_schema(client)
    except (AssertionError, AttributeError, KeyError, TypeError):
        return {}


async def _limits_shown(client: httpx.AsyncClient, name: str) -> str:
    field = (await _fields_shown(client)).get(name, {})
    return ", ".join(f"{key} {field[key]}" for key in _LIMITS if key in field) or "no limit"


async def not_all_named(
    client: httpx.AsyncClient, response: httpx.Response, sent: Mapping[str, object]
) -> Hinted:
    """Return the error of a 422 that names not all: what it names, and what one alone says.

    Args:
        sent: the features that are wrong, with their values.
    """
    named = [each for each in sent if names_field(response, each)]
    unnamed = [each for each in sent if each not in named]
    model = response.request.url.path.rpartition("/")[2]
    name = unnamed[0]
    alone = await predict(client, model, {**DEFAULTS, name: sent[name]})
    text = alone.text[:_MAX_ANSWER_CHARACTERS]
    text += "..." if len(alone.text) > _MAX_ANSWER_CHARACTERS else ""
    sentence = (
        f"{request_line(response)} with {response.request.content.decode()} answered 422 that "
        f"names {joined(named) or 'no feature'}, without a word of {joined(unnamed)}; right is "
        "that it names every feature that is wrong. Where "
        f"{name} = {json.dumps(sent[name])} is all that is wrong, it answers "
        f"{alone.status_code} {text}"
    )
    if not names_field(alone, name):
        hint = "Where does your answer say which feature it speaks of?"
    elif '"value_error"' in alone.text:
        hint = "Your own validator has refused this. Who looks at the other features after that?"
    elif '"loc"' in alone.text:
        hint = "pydantic looks at all fields. What becomes of its other errors in your answer?"
    else:
        hint = "Your own code answers this, and not pydantic. Who looks at all fields at once?"
    return Hinted(sentence, hint)


async def refused_late(
    client: httpx.AsyncClient, response: httpx.Response, sentence: str
) -> Hinted:
    """Return the error of a refusal that waited: whether all requests for that path wait."""
    path = response.request.url.path
    unasked = await client.get(path)
    if unasked.status_code == 405 and took(unasked) > seconds(0):
        return Hinted(
            f"{sentence} GET {path}, which no endpoint answers, took {took(unasked)} as well.",
            "Which code does a request pass before any endpoint is looked for?",
        )
    if '"loc":["body",' in response.text:
        return Hinted(
            f"{sentence} It is pydantic's own refusal, and GET {path}, which no endpoint answers, "
            "does not wait.",
            "What has to be ready before pydantic's errors are told, such as a dependency?",
        )
    return Hinted(
        f"{sentence} The answer is{body_excerpt(response)}, which is not pydantic's.",
        "Your own code refuses this: does it do so before the wait, or behind it?",
    )


async def default_not_used(
    client: httpx.AsyncClient, response: httpx.Response, sentence: str, left_out: Sequence[str]
) -> AssertionError:
    """Return the error of a body without some features that was refused.

    Args:
        left_out: the features that the body does not have.
    """
    if response.status_code >= 500:
        return Hinted(sentence)
    if hint := routing_hint(response):
        return Hinted(sentence, hint)
    if '"missing"' not in response.text:
        if '"loc":["body",' in response.text:
            return Hinted(sentence, "Which limit does this answer tell, and which one is right?")
        return Hinted(sentence, "Which code of yours answers this, and what does it ask for?")
    no_body = await client.post(response.request.url.path)
    if no_body.status_code == 200:
        return Hinted(
            f"{sentence} Without any body it answers 200.",
            "Whose default is it that your code has: each field's, or that of the whole parameter?",
        )
    fields = await _fields_shown(client)
    missing = [each for each in left_out if "default" not in fields.get(each, {})]
    if not missing:
        return AssertionError(f"{sentence} /openapi.json shows a default all the same.")
    examples = fields.get(missing[0], {}).get("examples")
    but = f", but the examples {examples}" if examples else ""
    return AssertionError(f"{sentence} /openapi.json shows no default of {missing[0]}{but}.")
